import { compareDigits, isDigit, isLetter, runEnd } from './digits.ts';

/** `PORTVERSION[_PORTREVISION][,PORTEPOCH]`, both of the latter 0 where they are absent. */
interface PortVersion {
  readonly version: string;
  readonly revision: string;
  readonly epoch: string;
}

/** One component of a version: number, letter, patch level. Missing ones are numbers below every other. */
interface Component {
  readonly number: string | Missing;
  /** 0 for none, then a = 1 to z = 26. */
  readonly letter: number;
  readonly level: string | Missing;
  /** Where the next one begins. */
  readonly next: number;
}

/** -1 where there is no number, -2 for `*`, which is older than anything. */
type Missing = -1 | -2;

/**
 * Negative, zero or positive as pkg(8) orders versions of FreeBSD packages (libpkg/pkg_version.c; the Porter's Handbook has
 * the rules): by the epoch, then the version, then the revision.
 * @public Nothing uses it before pkg is a package manager here.
 */
export function compareFreebsdVersions(left: string, right: string): number {
  const [a, b] = [parsePortVersion(left), parsePortVersion(right)];
  return (
    compareDigits(a.epoch, b.epoch) ||
    comparePortVersions(a.version.toLowerCase(), b.version.toLowerCase()) ||
    compareDigits(a.revision, b.revision)
  );
}

function parsePortVersion(text: string): PortVersion {
  const version = text.slice(text.lastIndexOf('-') + 1);
  const underscore = version.lastIndexOf('_');
  const comma = version.lastIndexOf(',');
  const hasEpoch = comma > underscore;
  const end = underscore >= 0 ? underscore : hasEpoch ? comma : version.length;
  const digitsAt = (at: number): string => version.slice(at, runEnd(version, at, isDigit));
  return {
    version: version.slice(0, end),
    revision: underscore < 0 ? '' : digitsAt(underscore + 1),
    epoch: hasEpoch ? digitsAt(comma + 1) : '',
  };
}

const nothing: Omit<Component, 'next'> = { number: '', letter: 0, level: '' };

/** A plus begins a new list of components: up to it a version that has fewer is filled up with zeros. */
function comparePortVersions(left: string, right: string): number {
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const a = componentAt(left, i);
    const b = componentAt(right, j);
    if (a === undefined && b === undefined) {
      [i, j] = [i + 1, j + 1];
      continue;
    }
    const difference = compareComponents(a ?? nothing, b ?? nothing);
    if (difference !== 0) return difference;
    [i, j] = [a?.next ?? i, b?.next ?? j];
  }
  return 0;
}

function compareComponents(left: Omit<Component, 'next'>, right: Omit<Component, 'next'>): number {
  return (
    compareNumbers(left.number, right.number) ||
    Math.sign(left.letter - right.letter) ||
    compareNumbers(left.level, right.level)
  );
}

function compareNumbers(left: string | Missing, right: string | Missing): number {
  if (typeof left === 'string' && typeof right === 'string') return compareDigits(left, right);
  return Math.sign((typeof left === 'string' ? 0 : left) - (typeof right === 'string' ? 0 : right));
}

/** Words that stand for stages before a release where they begin a component; elsewhere a dot is read before them. */
const stages: ReadonlyMap<string, number> = new Map([
  ['pl', 0],
  ['alpha', 1],
  ['beta', 2],
  ['pre', 16],
  ['rc', 18],
]);

/** Undefined at the end and at a plus. */
function componentAt(text: string, from: number): Component | undefined {
  if (from >= text.length || text.charAt(from) === '+') return undefined;
  const { number, end } = numberAt(text, from);
  const wordEnd = runEnd(text, end, isLetter);
  const word = text.slice(end, wordEnd);
  const stage = word.length > 1 ? stages.get(word) : undefined;
  if (word === '' || (stage !== undefined && number !== -1)) {
    return { number, letter: 0, level: '', next: skipSeparators(text, end) };
  }
  const levelEnd = runEnd(text, wordEnd, isDigit);
  return {
    number,
    letter: stage ?? word.charCodeAt(0) - 0x60,
    level: levelEnd === wordEnd ? -1 : text.slice(wordEnd, levelEnd),
    next: skipSeparators(text, levelEnd),
  };
}

function numberAt(text: string, from: number): { readonly number: string | Missing; readonly end: number } {
  const end = runEnd(text, from, isDigit);
  if (end > from) return { number: text.slice(from, end), end };
  if (text.charAt(from) !== '*') return { number: -1, end: from };
  const plus = text.indexOf('+', from);
  return { number: -2, end: plus < 0 ? text.length : plus };
}

function skipSeparators(text: string, from: number): number {
  return runEnd(
    text,
    from,
    (code) => !(Number.isNaN(code) || isDigit(code) || isLetter(code) || code === 0x2b || code === 0x2a),
  );
}
