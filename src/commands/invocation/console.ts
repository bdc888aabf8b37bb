/** Data goes to stdout, everything else to stderr. */
export interface Console {
  /** Data, as it is. */
  print(text: string): void;
  printLine(text: string): void;
  printJson(value: unknown): void;
  /** What a person may like to know; silent under `--quiet`. */
  message(text: string): void;
  /** What a person must know; also under `--quiet`. */
  warn(text: string): void;
}

export interface ConsoleStreams {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

export function createConsole(streams: ConsoleStreams, isQuiet: boolean): Console {
  return {
    print: streams.write,
    printLine: (text) => streams.write(`${text}\n`),
    printJson: (value) => streams.write(`${JSON.stringify(value, undefined, 2)}\n`),
    message: (text) => {
      if (!isQuiet) streams.writeError(`${text}\n`);
    },
    warn: (text) => streams.writeError(`${text}\n`),
  };
}
