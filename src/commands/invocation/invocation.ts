import type { Options } from './options.ts';

/** What commander made of the words that were typed and of FETTLE_* in the environment. */
export interface Invocation {
  readonly arguments: readonly string[];
  readonly options: Partial<Options>;
  /** How many of the arguments stand after `--`; undefined without one. */
  readonly afterDashes?: number;
}

export interface UnderstoodCommand {
  /** `scan`, or `run resume`. */
  readonly name: string;
  readonly invocation: Invocation;
}
