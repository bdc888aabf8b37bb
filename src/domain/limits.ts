import { FettleError } from './error.ts';

/** What the answer of one host may hold. Real hosts stay far below; beyond it an answer is refused, never cut. */
export const answerLimits = {
  /** Lines of one section. */
  lines: 1_000_000,
  /** UTF-16 units of one line. */
  lineLength: 64 * 1024,
  /** Entries of one list: updates, packages, services, processes. */
  entries: 50_000,
  /** UTF-16 units of a package's name or version. */
  wordLength: 256,
  /** Origins of one version of a package. */
  origins: 100,
} as const;

/** `parse`: the answer of a host holds more than any answer of a sound host; `what` as in `more than 50000 updates`. */
export function answerTooLarge(what: string): FettleError {
  return new FettleError('parse', `the host's answer is refused: it holds ${what}`, {
    hint: 'inspect the host: what answers there is damaged or hostile; leave the host out until it is repaired',
  });
}

/** The same list; `parse` where it has more entries than an answer may hold. */
export function fewEnough<List extends { readonly length: number }>(list: List, what: string): List {
  if (list.length > answerLimits.entries) throw answerTooLarge(`more than ${answerLimits.entries} ${what}`);
  return list;
}

/** A name or version of a package as it came; `parse` where it is longer than any real one. */
export function shortEnough(word: string, what: string): string {
  if (word.length <= answerLimits.wordLength) return word;
  throw answerTooLarge(`a ${what} of more than ${answerLimits.wordLength} characters`);
}
