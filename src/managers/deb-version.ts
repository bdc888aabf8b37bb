/** Debian Policy 5.6.12: a letter sorts before everything else, a tilde before the end of the part. */
function weight(character: string | undefined): number {
  if (character === undefined || /\d/.test(character)) return 0;
  if (character === '~') return -1;
  const code = character.codePointAt(0) ?? 0;
  return /[A-Za-z]/.test(character) ? code : code + 256;
}

function comparePart(left: string, right: string): number {
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    while ((i < left.length && !/\d/.test(left[i] ?? '')) || (j < right.length && !/\d/.test(right[j] ?? ''))) {
      const difference = weight(left[i]) - weight(right[j]);
      if (difference !== 0) return Math.sign(difference);
      i += 1;
      j += 1;
    }
    const [a = '', b = ''] = [/^\d*/.exec(left.slice(i))?.[0], /^\d*/.exec(right.slice(j))?.[0]];
    const difference = BigInt(a === '' ? 0 : a) - BigInt(b === '' ? 0 : b);
    if (difference !== 0n) return difference > 0n ? 1 : -1;
    i += a.length;
    j += b.length;
  }
  return 0;
}

function partsOf(version: string): readonly [epoch: number, upstream: string, revision: string] {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  const upstream = dash < 0 ? rest : rest.slice(0, dash);
  return [colon < 0 ? 0 : Number(version.slice(0, colon)), upstream, dash < 0 ? '' : rest.slice(dash + 1)];
}

/** Negative, zero or positive as dpkg(1) `--compare-versions` orders them. */
export function compareDebVersions(left: string, right: string): number {
  const [a, b] = [partsOf(left), partsOf(right)];
  return Math.sign(a[0] - b[0]) || comparePart(a[1], b[1]) || comparePart(a[2], b[2]);
}
