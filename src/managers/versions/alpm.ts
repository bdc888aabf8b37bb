import { compareDigits, compareText, isDigit, isLetter, runEnd } from './digits.ts';
import { parseEvr } from './rpm.ts';

/**
 * Negative, zero or positive as pacman orders `[epoch:]version[-pkgrel]` (vercmp(8)). A pkgrel counts only where both
 * have one.
 */
export function compareAlpmVersions(left: string, right: string): number {
  const [a, b] = [parseEvr(left), parseEvr(right)];
  const difference = comparePart(a.epoch, b.epoch) || comparePart(a.version, b.version);
  if (difference !== 0 || a.release === undefined || b.release === undefined) return difference;
  return comparePart(a.release, b.release);
}

/**
 * What rpm did before it knew tilde and caret, but that more separators are newer than fewer, and letters behind the end
 * of the other are older: `1.0rc` < `1.0` < `1.0.a`.
 */
function comparePart(left: string, right: string): number {
  if (left === right) return 0;
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    const [a, b] = [runEnd(left, i, isSeparator), runEnd(right, j, isSeparator)];
    const separators = a - i - (b - j);
    [i, j] = [a, b];
    if (i === left.length || j === right.length) break;
    if (separators !== 0) return Math.sign(separators);
    const isNumber = isDigit(left.charCodeAt(i));
    const belongs = isNumber ? isDigit : isLetter;
    const [iEnd, jEnd] = [runEnd(left, i, belongs), runEnd(right, j, belongs)];
    if (jEnd === j) return isNumber ? 1 : -1;
    const difference = (isNumber ? compareDigits : compareText)(left.slice(i, iEnd), right.slice(j, jEnd));
    if (difference !== 0) return difference;
    [i, j] = [iEnd, jEnd];
  }
  if (i === left.length && j === right.length) return 0;
  const isOlder = isLetter(left.charCodeAt(i)) || (i === left.length && !isLetter(right.charCodeAt(j)));
  return isOlder ? -1 : 1;
}

function isSeparator(code: number): boolean {
  return !(Number.isNaN(code) || isDigit(code) || isLetter(code));
}
