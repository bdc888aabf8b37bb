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

/**
 * The pairs that cannot be installed together, of which the first comes with the upgrade. pacman asks whether the other
 * shall go, and does nothing at all where the answer is no.
 */
export function conflictsOf(coming: readonly Party[], staying: readonly Party[]): readonly (readonly [Party, Party])[] {
  const candidates = [...coming, ...staying];
  const byWord = new Map<string, Party[]>();
  for (const party of candidates) {
    for (const word of new Set([party.name, ...party.provides.map((provision) => provision.split('=', 1)[0] ?? '')])) {
      const found = byWord.get(word);
      if (found === undefined) byWord.set(word, [party]);
      else found.push(party);
    }
  }
  const isComing = new Set(coming.map(({ name }) => name));
  const pairs = candidates.flatMap((party) =>
    party.conflicts.flatMap((text) =>
      (byWord.get(parseDependency(text).name) ?? [])
        .filter((other) => other.name !== party.name && (isComing.has(party.name) || isComing.has(other.name)))
        .filter((other) => isMetBy(other, text))
        .map((other): readonly [Party, Party] => (isComing.has(party.name) ? [party, other] : [other, party])),
    ),
  );
  return [
    ...new Map(
      pairs.map((pair) => [
        pair
          .map(({ name }) => name)
          .toSorted()
          .join(' '),
        pair,
      ]),
    ).values(),
  ];
}
