import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RemoteScript } from './script.ts';

type ScriptName = 'probe' | 'job';

const posix = {
  probe: ['lib.sh', 'running.sh', 'tree.sh', 'apt.sh', 'probe.sh'],
  job: [
    ...['lib.sh', 'running.sh', 'tree.sh', 'apt.sh', 'apt-refresh.sh', 'apt-job.sh', 'work.sh'],
    ...['job.sh', 'claim.sh', 'job-run.sh', 'job-main.sh'],
  ],
} as const satisfies Record<ScriptName, readonly string[]>;

const shared = [
  'lib',
  'json',
  'job-log',
  'boot',
  'task',
  'claim',
  'facts',
  'pending-reboot',
  'wua',
  'wua-scan',
] as const;
const watching = ['lib', 'boot', 'task', 'claim', 'job', 'job-watch', 'job-main'] as const;
const windows = {
  probe: [...shared, 'scan-task', 'inventory', 'third-party', 'probe', 'probe-main'],
  job: [
    ...shared,
    ...['scan-task', 'third-party', 'wua-select', 'wua-install', 'wua-jobs'],
    ...['text', 'work', 'reboot', 'job', 'job-watch', 'job-run', 'job-main'],
  ],
} as const satisfies Record<ScriptName, readonly string[]>;

/** What is asked again and again has no need of the rest, which the host would read and its logs might keep each time. */
const windowsVerbs: Readonly<Record<string, readonly string[]>> = {
  'probe boot': ['lib', 'boot', 'probe-main'],
  'job follow': watching,
  'job stat': watching,
  'job collect': watching,
  'job sweep': watching,
};

/** One text that runs on hosts, with the verbs that it answers to; `verb` is `*` for all that have no text of their own. */
export interface HostScript {
  readonly family: 'posix' | 'windows';
  readonly name: string;
  readonly verb: string;
  /** Of the text as it reaches the host, hexadecimal. */
  readonly sha256: string;
}

const made = new Map<string, RemoteScript>();

/** Looks: facts, pending updates, simulations. Changes nothing. */
export function probeScript(): RemoteScript {
  return assemble('probe', 'posix', posix.probe);
}

/** Changes: starts, follows and collects detached jobs, and is what they run. */
export function jobScript(): RemoteScript {
  return assemble('job', 'posix', posix.job);
}

/** The script of the same name for hosts that run PowerShell, or as much of it as a verb needs; the verbs are the same. */
export function inPowerShell({ name }: Pick<RemoteScript, 'name'>, verb = ''): RemoteScript {
  if (name !== 'probe' && name !== 'job') throw new RangeError(`there is no PowerShell script ${name}`);
  const parts = windowsVerbs[`${name} ${verb}`] ?? windows[name];
  return assemble(
    name,
    'windows',
    parts.map((part) => `${part}.ps1`),
  );
}

/** Every script that is assembled here, once for each of its texts. */
export function assembledScripts(): readonly HostScript[] {
  const whole = [probeScript(), jobScript()];
  return [
    ...whole.map(({ name, sha256 }) => ({ family: 'posix' as const, name, verb: '*', sha256 })),
    ...whole.map((script) => windowsScript(script.name, '*')),
    ...Object.keys(windowsVerbs).map((key) => {
      const [name = '', verb = ''] = key.split(' ');
      return windowsScript(name, verb);
    }),
  ];
}

function windowsScript(name: string, verb: string): HostScript {
  return { family: 'windows', name, verb, sha256: inPowerShell({ name }, verb).sha256 };
}

function assemble(name: ScriptName, family: 'posix' | 'windows', files: readonly string[]): RemoteScript {
  const key = `${family} ${files.join(' ')}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const text = files.map((file) => readFileSync(new URL(`${family}/${file}`, import.meta.url), 'utf8')).join('\n');
  const sha256 = createHash('sha256').update(text).digest('hex');
  const assembled = { name, text, sha256 };
  made.set(key, assembled);
  return assembled;
}
