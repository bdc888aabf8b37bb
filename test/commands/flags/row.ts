// What one command line must become.

interface Given {
  /** The words that follow the verb and its arguments; none: the defaults. */
  readonly words: readonly string[];
  /** Of the shell, besides nothing. */
  readonly env?: Readonly<Record<string, string>>;
  /** Somebody can be asked. */
  readonly hasTerminal?: boolean;
  /** In place of the arguments that the verb needs. */
  readonly arguments?: readonly string[];
}

interface Understood extends Given {
  /** Fields of the request. */
  readonly request?: Readonly<Record<string, unknown>>;
  /** Options that the process itself obeys, such as `--color`. */
  readonly options?: Readonly<Record<string, unknown>>;
}

interface Refused extends Given {
  /** The message, and what must be in it. */
  readonly refused: RegExp;
}

export type Row = Understood | Refused;

/** A switch that is off until its flag is given. */
export function switched(flag: string, name: string): readonly Row[] {
  return [
    { words: [], request: { [name]: false } },
    { words: [flag], request: { [name]: true } },
  ];
}

/** Text that is passed on as it is. */
export function text(flag: string, name: string, byDefault?: unknown): readonly Row[] {
  return [
    { words: [], request: { [name]: byDefault } },
    { words: [flag, 'some text'], request: { [name]: 'some text' } },
  ];
}

export const durationRefused = /is not a duration[\s\S]*90s, 10m, 6h or 7d/;
export const numberRefused = /must be a positive number/;
