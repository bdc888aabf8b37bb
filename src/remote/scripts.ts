import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { RemoteScript } from './script.ts';
import { windowsFiles, windowsScripts } from './windows-parts.ts';

type ScriptName = 'probe' | 'job';

/** Which text a request needs. */
export interface ScriptChoice {
  /** Absent: everything that any verb needs. */
  readonly verb?: string;
  /** Package managers whose parts go along; absent: all. How the others are found always does. */
  readonly managers?: readonly string[];
}

/** A file of a script, or a list of files that depends on the package managers. */
type Part = string | ((managers: readonly string[]) => readonly string[]);

const managerFolder = 'managers';

/**
 * Package managers of POSIX systems: each has a folder of its own with `detect.sh`, `fingerprint.sh`, `scan.sh`, and what
 * its jobs need.
 */
export const posixManagers: readonly string[] = readdirSync(
  new URL(`posix/${managerFolder}/`, import.meta.url),
).toSorted();

/** Whose scans go to a POSIX host of which nothing is known yet: another package manager costs it a second round trip. */
export const usualManagers: readonly string[] = ['apt', 'snap'];

function filesOf(manager: string): readonly string[] {
  const names = readdirSync(new URL(`posix/${managerFolder}/${manager}/`, import.meta.url)).toSorted();
  return names.map((name) => `${managerFolder}/${manager}/${name}`);
}

/** Those whose packages are rpm's; what they have in common is in files of its own. */
const overRpm = new Set(['dnf', 'dnf5', 'zypper']);
const sharedWith =
  (file: string) =>
  (managers: readonly string[]): readonly string[] =>
    managers.some((manager) => overRpm.has(manager)) ? [file] : [];

const detection: Part = () => posixManagers.map((manager) => `${managerFolder}/${manager}/detect.sh`);
const fingerprints: Part = () => [
  'fingerprint.sh',
  ...posixManagers.map((manager) => `${managerFolder}/${manager}/fingerprint.sh`),
];
const scanning: Part = (managers) => managers.map((manager) => `${managerFolder}/${manager}/scan.sh`);
const working: Part = (managers) =>
  managers.flatMap((manager) => filesOf(manager).filter((file) => !/\/(detect|fingerprint|scan)\.sh$/.test(file)));

const base = ['lib.sh', 'os-linux.sh'] as const;
const found = [...base, 'tree.sh', 'kernel-linux.sh', 'managers.sh', 'rpm-detect.sh', detection] as const;

const describing: readonly Part[] = [...found, sharedWith('rpm.sh'), scanning, 'probe.sh', 'probe-main.sh'];

/** By script and verb; `*` stands for all verbs that have no line of their own. */
const posix: Readonly<Record<string, readonly Part[]>> = {
  'probe boot': [...base, 'boot.sh', 'probe-main.sh'],
  'probe fingerprint': [...found, fingerprints, 'probe-main.sh'],
  'probe probe': describing,
  'probe state': describing,
  'probe summary': describing,
  'probe *': [...describing.slice(0, -1), fingerprints, 'boot.sh', 'probe-main.sh'],
  'job follow': [...base, 'tree.sh', 'job.sh', 'job-main.sh'],
  'job stat': [...base, 'tree.sh', 'job.sh', 'job-main.sh'],
  'job collect': [...base, 'tree.sh', 'job.sh', 'claim.sh', 'job-main.sh'],
  'job sweep': [...base, 'tree.sh', 'job.sh', 'claim.sh', 'job-main.sh'],
  'job *': [
    ...[...found, fingerprints, sharedWith('rpm.sh'), scanning, sharedWith('rpm-job.sh'), working],
    ...['work.sh', 'job.sh', 'claim.sh', 'job-run.sh', 'job-main.sh'],
  ],
};

/** Reads: facts, pending updates, simulations. Changes nothing. */
export function probeScript(choice: ScriptChoice = {}): RemoteScript {
  return assemble('probe', 'posix', posixFiles('probe', choice));
}

/** Changes: starts, follows and collects detached jobs, and is what they run. */
export function jobScript(choice: ScriptChoice = {}): RemoteScript {
  return assemble('job', 'posix', posixFiles('job', choice));
}

/** The script of the same name for hosts that run PowerShell, or as much of it as a verb needs; the verbs are the same. */
export function inPowerShell({ name }: Pick<RemoteScript, 'name'>, choice: ScriptChoice = {}): RemoteScript {
  if (!isScriptName(name)) throw new RangeError(`there is no PowerShell script ${name}`);
  return assemble(name, 'windows', windowsFiles(name, choice));
}

function isScriptName(name: string): name is ScriptName {
  return name === 'probe' || name === 'job';
}

function posixFiles(name: ScriptName, { verb, managers = posixManagers }: ScriptChoice): readonly string[] {
  const known = posixManagers.filter((manager) => managers.includes(manager));
  const parts = posix[`${name} ${verb ?? '*'}`] ?? posix[`${name} *`] ?? [];
  return parts.flatMap((part) => (typeof part === 'string' ? [part] : part(known)));
}

/** Every file that any script is made of, by family. */
export const scriptFiles: Readonly<Record<'posix' | 'windows', readonly string[]>> = {
  posix: [...new Set(Object.keys(posix).flatMap((key) => posixFiles(...keyOf(key))))].toSorted(),
  windows: [...new Set(Object.keys(windowsScripts).flatMap((key) => windowsFiles(...keyOf(key))))].toSorted(),
};

function keyOf(key: string): [ScriptName, ScriptChoice] {
  const [name = '', verb = ''] = key.split(' ');
  if (!isScriptName(name)) throw new RangeError(`there is no script ${name}`);
  return [name, { verb }];
}

/**
 * The text of a file as it goes to hosts; that of a shell without comments and
 * indentation, and its Python narrow.
 */
export function scriptFile(family: 'posix' | 'windows', file: string): string {
  const text = readFileSync(new URL(`${family}/${file}`, import.meta.url), 'utf8');
  if (family !== 'posix') return text;
  return text
    .replaceAll(/^[\t ]*#.*\n/gm, '')
    .replaceAll(/<<'PYTHON'\n[^]*?^PYTHON$|^ +/gm, (part) => (part.startsWith(' ') ? '' : narrow(part)));
}

/** Python needs neither empty lines nor four spaces where one does. */
function narrow(python: string): string {
  return python.replaceAll(/^\n/gm, '').replaceAll(/^(?: {4})+/gm, (spaces) => ' '.repeat(spaces.length / 4));
}

const made = new Map<string, RemoteScript>();

function assemble(name: ScriptName, family: 'posix' | 'windows', files: readonly string[]): RemoteScript {
  const key = `${family} ${files.join(' ')}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const text = files.map((file) => scriptFile(family, file)).join('\n');
  const sha256 = createHash('sha256').update(text).digest('hex');
  const assembled = { name, text, sha256, files };
  made.set(key, assembled);
  return assembled;
}
