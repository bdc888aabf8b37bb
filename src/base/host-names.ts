// Node-set notation as ClusterShell and pdsh print it: `web[01-17,19],db-a`.

/** Longer digit strings are names, not numbers. */
const longestNumber = 15;

interface Candidate {
  /** The name with one number taken out. */
  readonly prefix: string;
  readonly digits: string;
  readonly suffix: string;
  readonly key: string;
}

interface Range {
  readonly from: string;
  readonly to: string;
}

const collator = new Intl.Collator('en', { numeric: true });

/** Natural order: `web2` before `web10`. */
export function compareHostNames(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** Folds names that differ in one number; each name is listed once. Padding counts: `web1` and `web01` stay two. */
export function foldHostNames(names: Iterable<string>): string {
  const unique = [...new Set(names)].sort(compareHostNames);
  const chosen = chooseHoles(unique);
  const folded: string[] = [];
  const seen = new Set<string>();
  for (const name of unique) {
    const hole = chosen.get(name);
    if (hole === undefined) {
      folded.push(name);
    } else if (!seen.has(hole.candidate.key)) {
      seen.add(hole.candidate.key);
      folded.push(foldGroup(hole.group));
    }
  }
  return folded.join(',');
}

/** `web[01-17,19] (18)`: the names folded, and how many they are. */
export function countedHostNames(names: Iterable<string>): string {
  const unique = new Set(names);
  return `${foldHostNames(unique)} (${unique.size})`;
}

/** For every name that can fold, the number that varies: the one with most company, the last one when equal. */
function chooseHoles(names: readonly string[]): Map<string, { candidate: Candidate; group: readonly Candidate[] }> {
  const byName = new Map(names.map((name) => [name, candidatesOf(name)]));
  const sizes = new Map<string, number>();
  for (const { key } of [...byName.values()].flat()) sizes.set(key, (sizes.get(key) ?? 0) + 1);
  const groups = new Map<string, Candidate[]>();
  const best = new Map<string, Candidate>();
  for (const [name, candidates] of byName) {
    const chosen = candidates.reduce<Candidate | undefined>((a, b) => {
      return a === undefined || (sizes.get(b.key) ?? 0) >= (sizes.get(a.key) ?? 0) ? b : a;
    }, undefined);
    if (chosen === undefined || (sizes.get(chosen.key) ?? 0) < 2) continue;
    best.set(name, chosen);
    const group = groups.get(chosen.key);
    if (group === undefined) groups.set(chosen.key, [chosen]);
    else group.push(chosen);
  }
  return new Map([...best].map(([name, candidate]) => [name, { candidate, group: groups.get(candidate.key) ?? [] }]));
}

function candidatesOf(name: string): Candidate[] {
  return [...name.matchAll(/\d+/g)]
    .filter((found) => found[0].length <= longestNumber)
    .map((found) => {
      const prefix = name.slice(0, found.index);
      const suffix = name.slice(found.index + found[0].length);
      return { prefix, digits: found[0], suffix, key: `${prefix}\0${suffix}` };
    });
}

function foldGroup(group: readonly Candidate[]): string {
  const [first] = group;
  if (first === undefined) return '';
  const ranges = rangesOf(group.map((candidate) => candidate.digits));
  const [only] = ranges;
  const inside = ranges.map(({ from, to }) => (from === to ? from : `${from}-${to}`)).join(',');
  const isOne = ranges.length === 1 && only !== undefined && only.from === only.to;
  return `${first.prefix}${isOne ? inside : `[${inside}]`}${first.suffix}`;
}

/** Digit strings, numerically sorted, to ranges; a range never changes its padding. */
function rangesOf(digits: readonly string[]): Range[] {
  const padded = new Set(digits.filter((text) => text.length > 1 && text.startsWith('0')).map((text) => text.length));
  const widthOf = (text: string): number => (padded.has(text.length) ? text.length : 0);
  const sorted = digits.toSorted((a, b) => widthOf(a) - widthOf(b) || Number(a) - Number(b));
  const ranges: { from: string; to: string }[] = [];
  for (const text of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && widthOf(last.to) === widthOf(text) && Number(text) === Number(last.to) + 1) {
      last.to = text;
    } else {
      ranges.push({ from: text, to: text });
    }
  }
  return ranges.sort((a, b) => Number(a.from) - Number(b.from));
}
