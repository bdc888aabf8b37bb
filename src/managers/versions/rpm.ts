import { compareDigits, compareText, isDigit, isLetter, runEnd } from './digits.ts';

/**
 * Negative, zero or positive as rpm orders two versions or two releases (`rpmvercmp` in rpmio/rpmvercmp.c; the rules are
 * in rpm-version(7)). Runs of digits are numbers, runs of letters are text, a number is newer than text, a tilde sorts
 * before the end and a caret behind it; everything else only separates. Linear in the length.
 */
function compareRpmParts(left: string, right: string): number {
  let [i, j] = [0, 0];
  for (;;) {
    [i, j] = [runEnd(left, i, isSeparator), runEnd(right, j, isSeparator)];
    const [a, b] = [left.charAt(i), right.charAt(j)];
    if (isMark(a) || isMark(b)) {
      const difference = rankOf(a) - rankOf(b);
      if (difference !== 0) return Math.sign(difference);
      i += 1;
      j += 1;
      continue;
    }
    if (a === '' || b === '') return Math.sign(rankOf(a) - rankOf(b));
    const isNumber = isDigit(a.charCodeAt(0));
    const belongs = isNumber ? isDigit : isLetter;
    const [iEnd, jEnd] = [runEnd(left, i, belongs), runEnd(right, j, belongs)];
    if (jEnd === j) return isNumber ? 1 : -1;
    const difference = (isNumber ? compareDigits : compareText)(left.slice(i, iEnd), right.slice(j, jEnd));
    if (difference !== 0) return difference;
    [i, j] = [iEnd, jEnd];
  }
}

function isSeparator(code: number): boolean {
  return !(Number.isNaN(code) || isDigit(code) || isLetter(code) || code === 0x7e || code === 0x5e);
}

function isMark(character: string): boolean {
  return character === '~' || character === '^';
}

/** `1.0~rc1` < `1.0` < `1.0^git1` < `1.0.1`. */
function rankOf(character: string): number {
  if (character === '~') return 0;
  if (character === '') return 1;
  return character === '^' ? 2 : 3;
}

/** `[epoch:]version[-release]`; without an epoch it is 0. */
interface Evr {
  readonly epoch: string;
  readonly version: string;
  readonly release: string | undefined;
}

export function parseEvr(text: string): Evr {
  const afterEpoch = runEnd(text, 0, isDigit);
  const hasEpoch = text.charAt(afterEpoch) === ':';
  const rest = hasEpoch ? text.slice(afterEpoch + 1) : text;
  const dash = rest.lastIndexOf('-');
  return {
    epoch: hasEpoch ? text.slice(0, afterEpoch) || '0' : '0',
    version: dash < 0 ? rest : rest.slice(0, dash),
    release: dash < 0 ? undefined : rest.slice(dash + 1),
  };
}

/** Negative, zero or positive as rpm orders `[epoch:]version[-release]`; without a release it sorts before any. */
export function compareRpmVersions(left: string, right: string): number {
  const [a, b] = [parseEvr(left), parseEvr(right)];
  const difference = compareDigits(a.epoch, b.epoch) || compareRpmParts(a.version, b.version);
  if (difference !== 0) return difference;
  if (a.release === undefined || b.release === undefined) {
    return Number(a.release !== undefined) - Number(b.release !== undefined);
  }
  return compareRpmParts(a.release, b.release);
}
