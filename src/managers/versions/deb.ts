import { compareDigits, isDigit, isLetter, runEnd } from './digits.ts';

/** Debian Policy 5.6.12: a letter sorts before everything else, a tilde before the end of the part. */
function weight(code: number): number {
  if (Number.isNaN(code) || isDigit(code)) return 0;
  if (code === 0x7e) return -1;
  return isLetter(code) ? code : code + 65_536;
}

/** Each character is read a fixed number of times, so that the time is linear in the length. */
function comparePart(left: string, right: string): number {
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    while ((i < left.length && !isDigit(left.charCodeAt(i))) || (j < right.length && !isDigit(right.charCodeAt(j)))) {
      const difference = weight(left.charCodeAt(i)) - weight(right.charCodeAt(j));
      if (difference !== 0) return Math.sign(difference);
      i += 1;
      j += 1;
    }
    const [iEnd, jEnd] = [runEnd(left, i, isDigit), runEnd(right, j, isDigit)];
    const difference = compareDigits(left.slice(i, iEnd), right.slice(j, jEnd));
    if (difference !== 0) return difference;
    i = iEnd;
    j = jEnd;
  }
  return 0;
}

function partsOf(version: string): readonly [epoch: string, upstream: string, revision: string] {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  const upstream = dash < 0 ? rest : rest.slice(0, dash);
  return [colon < 0 ? '' : version.slice(0, colon), upstream, dash < 0 ? '' : rest.slice(dash + 1)];
}

/** Negative, zero or positive as dpkg(1) `--compare-versions` orders them. */
export function compareDebVersions(left: string, right: string): number {
  const [a, b] = [partsOf(left), partsOf(right)];
  return comparePart(a[0], b[0]) || comparePart(a[1], b[1]) || comparePart(a[2], b[2]);
}

/** The newest of them; undefined of none. */
export function newestDebVersion(versions: Iterable<string>): string | undefined {
  let newest: string | undefined;
  for (const version of versions) {
    if (newest === undefined || compareDebVersions(version, newest) >= 0) newest = version;
  }
  return newest;
}
