import { compareDigits, compareText, isDigit, isLetter, runEnd } from './digits.ts';

/** Kinds of tokens in the order in which a version may have them; where one version ends first, the earlier kind is newer. */
const kinds = [
  'first number',
  'number',
  'letter',
  'suffix',
  'suffix number',
  'hash',
  'revision',
  'end',
  'invalid',
] as const;

type Kind = (typeof kinds)[number];

interface Token {
  readonly kind: Kind;
  readonly text: string;
  /** Where the next one begins. */
  readonly next: number;
}

/** The empty word stands for no suffix: what is left of it is older than the version without. */
const suffixes = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];

/**
 * Negative, zero or positive as apk-tools 3 orders `1.2.3a_rc4~hash-r5` (src/version.c, apk-package(5)). Numbers behind the
 * first that begin with a zero are compared as text. What no version may hold ends it: the rest does not count.
 */
export function compareApkVersions(left: string, right: string): number {
  let [a, b] = [numberToken('first number', left, 0), numberToken('first number', right, 0)];
  while (a.kind === b.kind && a.kind !== 'end' && a.kind !== 'invalid') {
    const difference = compareTokens(a, b);
    if (difference !== 0) return difference;
    [a, b] = [nextToken(left, a), nextToken(right, b)];
  }
  if (a.kind === b.kind) return 0;
  if (isBeforeRelease(a)) return -1;
  if (isBeforeRelease(b)) return 1;
  return Math.sign(kinds.indexOf(b.kind) - kinds.indexOf(a.kind));
}

function isBeforeRelease({ kind, text }: Token): boolean {
  return kind === 'suffix' && suffixes.indexOf(text) < suffixes.indexOf('');
}

function compareTokens(left: Token, right: Token): number {
  switch (left.kind) {
    case 'number':
      return left.text.startsWith('0') || right.text.startsWith('0')
        ? compareText(left.text, right.text)
        : compareDigits(left.text, right.text);
    case 'suffix':
      return Math.sign(suffixes.indexOf(left.text) - suffixes.indexOf(right.text));
    case 'letter':
    case 'hash':
      return compareText(left.text, right.text);
    default:
      return compareDigits(left.text, right.text);
  }
}

function nextToken(text: string, { kind, next: at }: Token): Token {
  if (at === text.length) return { kind: 'end', text: '', next: at };
  const invalid: Token = { kind: 'invalid', text: '', next: at };
  const isBefore = (other: Kind): boolean => kinds.indexOf(kind) < kinds.indexOf(other);
  const [character, code] = [text.charAt(at), text.charCodeAt(at)];
  if (isDigit(code)) {
    if (kind === 'suffix') return numberToken('suffix number', text, at);
    return isBefore('letter') ? numberToken('number', text, at) : invalid;
  }
  if (isSmallLetter(code)) return isBefore('letter') ? { kind: 'letter', text: character, next: at + 1 } : invalid;
  switch (character) {
    case '.':
      return isBefore('letter') ? numberToken('number', text, at + 1) : invalid;
    case '_':
      return isBefore('hash') ? suffixToken(text, at + 1) : invalid;
    case '~':
      return isBefore('hash') ? hashToken(text, at + 1) : invalid;
    case '-':
      return isBefore('revision') && text.startsWith('-r', at) ? numberToken('revision', text, at + 2) : invalid;
    default:
      return invalid;
  }
}

function numberToken(kind: Kind, text: string, from: number): Token {
  const next = runEnd(text, from, isDigit);
  return { kind: next === from ? 'invalid' : kind, text: text.slice(from, next), next };
}

function suffixToken(text: string, from: number): Token {
  const next = runEnd(text, from, isSmallLetter);
  const word = text.slice(from, next);
  return { kind: word !== '' && suffixes.includes(word) ? 'suffix' : 'invalid', text: word, next };
}

function hashToken(text: string, from: number): Token {
  const next = runEnd(text, from, isHexDigit);
  return { kind: next === from ? 'invalid' : 'hash', text: text.slice(from, next), next };
}

function isSmallLetter(code: number): boolean {
  return isLetter(code) && code >= 0x61;
}

function isHexDigit(code: number): boolean {
  return isDigit(code) || (code >= 0x61 && code <= 0x66);
}
