/** The candidate most like `word`: Levenshtein distance at most `most`, by default a third of its length and at least 2. */
export function nearest(
  word: string,
  candidates: Iterable<string>,
  most = Math.max(2, Math.floor(word.length / 3)),
): string | undefined {
  let best: string | undefined;
  let least = most + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const found = distance(word.toLowerCase(), candidate.toLowerCase());
    if (found < least && found < candidate.length) [best, least] = [candidate, found];
  }
  return best;
}

function distance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const swap = left.charAt(row - 1) === right.charAt(column - 1) ? 0 : 1;
      const above = (previous[column] ?? 0) + 1;
      const before = (current[column - 1] ?? 0) + 1;
      current.push(Math.min(above, before, (previous[column - 1] ?? 0) + swap));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}

/** `did you mean web01?`, or undefined when nothing is near. */
export function suggestion(word: string, candidates: Iterable<string>, most?: number): string | undefined {
  const near = nearest(word, candidates, most);
  return near === undefined ? undefined : `did you mean ${near}?`;
}
