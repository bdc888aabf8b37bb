import { FettleError } from '../../domain/error.ts';
import { fewEnough, shortEnough } from '../../domain/limits.ts';
import { linesIn, linesOf, required, type Sections } from '../contract/sections.ts';

/** One package of apk's database. */
export interface ApkPackage {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  /** The name of what one APKBUILD makes together. */
  readonly origin: string;
  /** Letters for what went wrong with it: `s` a script, `f` a file, `x` an attribute. Empty: nothing. */
  readonly flags: string;
}

/** Packages by name; `parse` where the database has none at all. */
export function readDatabase(sections: Sections): ReadonlyMap<string, ApkPackage> {
  const packages = new Map<string, ApkPackage>();
  for (const line of linesIn(required(sections, 'apk-installed'), 'list of packages')) {
    const [name = '', version = '', arch = '', origin = '', flags = ''] = line.split('\t', 5);
    if (name === '' || version === '') continue;
    packages.set(name, {
      name: shortEnough(name, 'package name'),
      version: shortEnough(version, 'version'),
      arch: shortEnough(arch, 'architecture'),
      origin: shortEnough(origin === '' ? name : origin, 'name of an origin'),
      flags: flags.slice(0, 20),
    });
  }
  if (fewEnough({ length: packages.size }, 'packages').length > 0) return packages;
  throw new FettleError('parse', 'apk lists no installed package at all', {
    hint: 'check the host with apk info -v; its package database may be damaged',
  });
}

/** One line of `apk list -u`: `libssl3-3.5.1-r0 x86_64 {openssl} (Apache-2.0) [upgradable from: libssl3-3.5.0-r0]`. */
export interface Upgradable {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

export function readUpgradable(sections: Sections): readonly Upgradable[] {
  return answerOf(sections, 'apk-upgradable').lines.flatMap((line): Upgradable[] => {
    const mark = ' [upgradable from: ';
    const at = line.indexOf(mark);
    if (at < 0 || !line.endsWith(']')) return [];
    const next = splitVersion(line.slice(0, line.indexOf(' ')));
    const current = splitVersion(line.slice(at + mark.length, -1));
    if (next === undefined || current === undefined || next.name !== current.name) return [];
    return [{ name: next.name, from: current.version, to: next.version }];
  });
}

/** From the right: the version has the last two hyphens, `-1.2.3-r4`. */
function splitVersion(text: string): { readonly name: string; readonly version: string } | undefined {
  const release = text.lastIndexOf('-');
  const version = text.lastIndexOf('-', release - 1);
  if (version <= 0) return undefined;
  return {
    name: shortEnough(text.slice(0, version), 'package name'),
    version: shortEnough(text.slice(version + 1), 'version'),
  };
}

export interface Step {
  readonly kind: 'in' | 'out';
  readonly name: string;
  /** null: not installed yet. */
  readonly from: string | null;
  readonly to: string;
}

/** What `apk upgrade -s` would do, in order, and its errors. Its exit status counts what is broken already, and is none. */
export function readSteps(sections: Sections): {
  readonly steps: readonly Step[];
  readonly troubles: readonly string[];
} {
  const { lines } = answerOf(sections, 'apk-steps');
  const steps = lines.map(stepOf).filter((step) => step !== undefined);
  const first = lines.findIndex((line) => line.startsWith('ERROR: '));
  if (first < 0) return { steps, troubles: [] };
  const words = lines.slice(first).filter((line) => line.startsWith('ERROR: ') || line.startsWith(' '));
  return {
    steps: [],
    troubles: [
      words
        .map((line) => line.trim())
        .join(' ')
        .slice(0, 2_000),
    ],
  };
}

/** `( 8/19) Upgrading edgetool@edge (8.9-r0 -> 9.0-r0)`. */
function stepOf(line: string): Step | undefined {
  const close = line.indexOf(') ');
  if (!line.startsWith('(') || close < 0 || !line.endsWith(')')) return undefined;
  const [verb = '', tagged = ''] = line.slice(close + 2).split(' ', 2);
  const open = line.indexOf('(', close);
  if (open < 0 || tagged === '') return undefined;
  const [before = '', after] = line.slice(open + 1, -1).split(' -> ', 2);
  const name = shortEnough(tagged.split('@', 1)[0] ?? '', 'package name');
  const from = shortEnough(before, 'version');
  switch (verb) {
    case 'Upgrading':
    case 'Downgrading':
    case 'Replacing':
      return { kind: 'in', name, from, to: shortEnough(after ?? before, 'version') };
    case 'Installing':
      return { kind: 'in', name, from: null, to: from };
    case 'Purging':
      return { kind: 'out', name, from, to: '' };
    default:
      return undefined;
  }
}

/** Repositories that apk could not open: `WARNING: opening from cache URL: No such file or directory`. */
export function readUnopened(sections: Sections): readonly string[] {
  return answerOf(sections, 'apk-upgradable').lines.flatMap((line) =>
    line.startsWith('WARNING: ') && line.includes('opening') ? [line.slice(9, 500)] : [],
  );
}

function answerOf(sections: Sections, name: string): { readonly lines: readonly string[] } {
  required(sections, name);
  const lines = linesOf(sections, name);
  if (/^rc \d{1,3}$/.test(lines.at(-1) ?? '')) return { lines: lines.slice(0, -1) };
  throw new FettleError('command', 'apk cannot report what is pending: the answer is cut off', {
    hint: 'check the host with: apk upgrade -s',
  });
}

/** Names that /etc/apk/world binds to a version: `foo=1.0-r1`, `foo<2`, `foo~1.2`. */
export function readPinned(sections: Sections): ReadonlySet<string> {
  return new Set(
    linesOf(sections, 'apk-world').flatMap((word) => {
      const at = word.search(/[<>=~]/);
      return at <= 0 ? [] : [word.slice(0, at)];
    }),
  );
}
