export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** A letter of ASCII; NaN, which stands behind the end of a text, is none. */
export function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

/** Where the run of characters that begins at `from` ends. */
export function runEnd(text: string, from: number, belongs: (code: number) => boolean): number {
  let at = from;
  while (belongs(text.charCodeAt(at))) at += 1;
  return at;
}

/** Numbers of any length as their digits: without leading zeros the longer one is larger. */
export function compareDigits(left: string, right: string): number {
  const [a, b] = [withoutZeros(left), withoutZeros(right)];
  return a.length === b.length ? compareText(a, b) : Math.sign(a.length - b.length);
}

/** By the codes of the characters, as strcmp(3). */
export function compareText(left: string, right: string): number {
  return left === right ? 0 : left > right ? 1 : -1;
}

function withoutZeros(digits: string): string {
  let at = 0;
  while (digits.charCodeAt(at) === 0x30) at += 1;
  return digits.slice(at);
}
