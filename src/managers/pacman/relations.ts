import { compareAlpmVersions } from '../versions/alpm.ts';

/** What counts of a package where others depend on it, conflict with it or replace it. */
export interface Party {
  readonly name: string;
  readonly version: string;
  /** `name`, or `name=version`. */
  readonly provides: readonly string[];
  /** `name`, or with an operator and a version: PKGBUILD(5). */
  readonly conflicts: readonly string[];
}

interface Dependency {
  readonly name: string;
  readonly isMet: (version: string) => boolean;
  readonly hasVersion: boolean;
}

const operators: Readonly<Record<string, (order: number) => boolean>> = {
  '<=': (order) => order <= 0,
  '>=': (order) => order >= 0,
  '=': (order) => order === 0,
  '<': (order) => order < 0,
  '>': (order) => order > 0,
};

function parseDependency(text: string): Dependency {
  const [, name = text, operator = '', wanted = ''] = /^([^<>=]*)([<>]=?|=)(.*)$/.exec(text) ?? [];
  const holds = operators[operator];
  if (holds === undefined) return { name, isMet: () => true, hasVersion: false };
  return { name, isMet: (version) => holds(compareAlpmVersions(version, wanted)), hasVersion: true };
}

/** The name that a dependency, conflict or replacement asks for. */
export function nameIn(text: string): string {
  return parseDependency(text).name;
}

/** By its own name, as replacements are found. */
export function isNamed({ name, version }: Pick<Party, 'name' | 'version'>, text: string): boolean {
  const dependency = parseDependency(text);
  return dependency.name === name && dependency.isMet(version);
}

/** By its own name or by what it provides: a provision without a version meets nothing that asks for one. */
function isMetBy(party: Party, text: string): boolean {
  const dependency = parseDependency(text);
  if (dependency.name === party.name && dependency.isMet(party.version)) return true;
  return party.provides.some((provision) => {
    const [name = '', version] = provision.split('=', 2);
    if (name !== dependency.name) return false;
    return !dependency.hasVersion || (version !== undefined && dependency.isMet(version));
  });
}

/** More than any sound host has; what lies beyond changes nothing. */
const mostConflicts = 1_000;

/**
 * The pairs that cannot be installed together, of which the first comes with the upgrade. pacman asks whether the other
 * shall go, and does nothing at all where the answer is no.
 */
export function conflictsOf(coming: readonly Party[], staying: readonly Party[]): readonly (readonly [Party, Party])[] {
  const pairs = new Map<string, readonly [Party, Party]>();
  const [anybody, newcomers] = [indexOf([...coming, ...staying]), indexOf(coming)];
  const find = (party: Party, others: ReadonlyMap<string, readonly Party[]>, isComing: boolean): void => {
    for (const text of party.conflicts) {
      for (const other of others.get(nameIn(text)) ?? []) {
        if (pairs.size >= mostConflicts) return;
        if (other.name === party.name || !isMetBy(other, text)) continue;
        const key = [party.name, other.name].toSorted().join(' ');
        if (!pairs.has(key)) pairs.set(key, isComing ? [party, other] : [other, party]);
      }
    }
  };
  for (const party of coming) find(party, anybody, true);
  for (const party of staying) find(party, newcomers, false);
  return [...pairs.values()];
}

/** Packages by their names and by what they provide. */
function indexOf(parties: readonly Party[]): ReadonlyMap<string, readonly Party[]> {
  const byWord = new Map<string, Party[]>();
  for (const party of parties) {
    for (const word of new Set([party.name, ...party.provides.map((provision) => provision.split('=', 1)[0] ?? '')])) {
      const found = byWord.get(word);
      if (found === undefined) byWord.set(word, [party]);
      else found.push(party);
    }
  }
  return byWord;
}
