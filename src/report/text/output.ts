// The streams and what they can do, decided once and handed in.
import { Chalk, type ChalkInstance } from 'chalk';
import type { Clock } from '../../base/clock.ts';
import { FettleError } from '../../domain/error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** One of the process's streams, or what a test puts in its place. */
export type RawStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly writableNeedDrain?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

export interface OutputStream {
  write(text: string | Uint8Array): void;
  /** Resolves at once unless more is buffered than the stream wants (`writableNeedDrain`); then when it was read, or the stream ended. */
  drained(): Promise<void>;
  readonly isTty: boolean;
  /** Terminal columns now; `Infinity` where there is no terminal: nothing is cut. */
  columns(): number;
  rows(): number;
  /** Colours, or nothing where colour is off. */
  readonly paint: ChalkInstance;
}

/** Who draws in place on the terminal. */
interface ScreenHolder {
  /** Every write to the terminal goes through it: it takes its own view away first. */
  readonly around: (write: () => void) => void;
  /** Others may have written on the screen, and moved the cursor. */
  readonly lost: () => void;
}

export interface Output {
  /** Data. */
  readonly stdout: OutputStream;
  /** Everything else. */
  readonly stderr: OutputStream;
  readonly clock: Clock;
  /** True where a view may be redrawn in place on stderr. */
  readonly canRedraw: boolean;
  /** Calls `action` again and again without keeping the process alive, until disposed. */
  every(ms: number, action: () => void): Disposable;
  holdScreen(holder: ScreenHolder): Disposable;
  /** stderr past `holdScreen`; only for the view that holds it. */
  readonly screen: RawStream;
  /** A text for people with its fettle commands as they are typed here; see `commandsAsTyped`. */
  asTyped(text: string): string;
}

export interface OutputOptions {
  readonly stdout: RawStream;
  readonly stderr: RawStream;
  readonly env: Environment;
  readonly clock: Clock;
  /** `--color` and `--no-color`; absent when neither was given. */
  readonly colour?: boolean;
  /** Repeats `action`; the default is an interval timer that does not keep the process alive. */
  readonly every?: Output['every'];
  /** Calls when the process goes on after it was stopped (Ctrl-Z, then `fg`); see SIGCONT in signal(7). */
  readonly onContinued?: (action: () => void) => void;
  /** The default leaves texts as they are. */
  readonly asTyped?: Output['asTyped'];
}

export function createOutput(options: OutputOptions): Output {
  const { env, clock } = options;
  let holder: ScreenHolder | undefined;
  options.onContinued?.(() => holder?.lost());
  const open = (raw: RawStream): OutputStream => {
    const isTty = raw.isTTY === true;
    const isColoured = decideColour({ env, isTty, ...(options.colour === undefined ? {} : { flag: options.colour }) });
    return {
      write: (text) => (isTty && holder !== undefined ? holder.around(() => raw.write(text)) : void raw.write(text)),
      drained: () => drained(raw),
      isTty,
      columns: () => (isTty ? (raw.columns ?? 80) || 80 : Infinity),
      rows: () => (isTty ? (raw.rows ?? 24) || 24 : Infinity),
      paint: new Chalk({ level: isColoured ? 1 : 0 }),
    };
  };
  return {
    stdout: open(options.stdout),
    stderr: open(options.stderr),
    clock,
    canRedraw: options.stderr.isTTY === true && env['TERM'] !== 'dumb',
    every: options.every ?? repeat,
    holdScreen: (next) => {
      holder = next;
      return {
        [Symbol.dispose]: () => {
          if (holder === next) holder = undefined;
        },
      };
    },
    screen: options.stderr,
    asTyped: options.asTyped ?? ((text) => text),
  };
}

/**
 * Puts `program` for the word `fettle` before each of the first words of commands: a source checkout has no `fettle` on
 * PATH, and what is not installed is no command to advise.
 */
export function commandsAsTyped(program: string, commands: readonly string[]): Output['asTyped'] {
  if (program === 'fettle') return (text) => text;
  const firstWords = new Set(commands.map((name) => name.split(' ', 1)[0] ?? name));
  return (text) =>
    text.replace(/\bfettle ([a-z]+)\b/g, (all, word: string) => (firstWords.has(word) ? `${program} ${word}` : all));
}

function drained(raw: RawStream): Promise<void> {
  if (raw.writableNeedDrain !== true) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const events = ['drain', 'close', 'error'] as const;
  const done = (): void => {
    for (const event of events) raw.off(event, done);
    resolve();
  };
  for (const event of events) raw.on(event, done);
  return promise;
}

function repeat(ms: number, action: () => void): Disposable {
  const timer = setInterval(action, ms).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

export interface ColourQuestion {
  readonly env: Environment;
  readonly isTty: boolean;
  readonly flag?: boolean;
}

/** The flag, then NO_COLOR (no-color.org), FORCE_COLOR, CLICOLOR_FORCE, TERM=dumb; else colour on a terminal. */
export function decideColour({ env, isTty, flag }: ColourQuestion): boolean {
  if (flag !== undefined) return flag;
  if (isSet(env['NO_COLOR'])) return false;
  const force = env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (isSet(env['CLICOLOR_FORCE']) && env['CLICOLOR_FORCE'] !== '0') return true;
  return isTty && env['TERM'] !== 'dumb';
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

/** The part of a stream that reports its errors. */
export interface FailingStream {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * Whoever read the pipe has gone (`fettle … | head`): what is written from now on is discarded without an error. A
 * run is never ended by it. Any other failure, such as a full disk behind `>`, goes to `fail`.
 */
export function endQuietlyOnClosedPipe(stream: FailingStream, fail: (error: FettleError) => void = raise): void {
  stream.on('error', (error) => {
    const code = 'code' in error ? error.code : undefined;
    if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') return;
    const hint = 'check whether the disk is full';
    fail(new FettleError('disk', `the output cannot be written: ${error.message}`, { hint, cause: error }));
  });
}

function raise(error: FettleError): void {
  throw error;
}
