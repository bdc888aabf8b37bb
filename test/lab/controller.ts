import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { cli } from '../support/cli.ts';
import type { LabPlaces } from './places.ts';
import type { CommandResult } from './shell.ts';

const project = join(import.meta.dirname, '../..');

export interface RunOptions {
  /** Added to the environment of the controller. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Its standard input stays open for `write`, until this process ends. */
  readonly keepsInput?: boolean;
  /** Runs on a terminal of its own; output and errors then come as one stream. */
  readonly tty?: boolean;
  readonly cwd?: string;
}

/** A process of the controller's side that a test watches, signals or kills. */
export class Controlled {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #output: Promise<CommandResult>;
  #stdout = '';
  #stderr = '';

  constructor(child: ChildProcess, input: string | undefined) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    child.stdin?.on('error', () => undefined);
    if (input !== undefined) child.stdin?.end(input);
    this.#output = once(child, 'close').then(([code, signal]: unknown[]) => ({
      code: typeof code === 'number' ? code : signal === 'SIGKILL' ? 137 : 128,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  /** What it has written so far. */
  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Hands on every piece of its standard output as it comes. */
  onStdout(listener: (text: string) => void): void {
    this.#child.stdout?.on('data', listener);
  }

  /** Resolves when it has ended and its output is complete. */
  done(): Promise<CommandResult> {
    return this.#output;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal);
  }

  /** Resolves as soon as either stream has this text. @throws Error when it ends without. */
  async waitForText(text: string | RegExp): Promise<void> {
    const has = (): boolean => `${this.#stdout}\n${this.#stderr}`.search(text) >= 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => (has() ? resolve() : undefined);
    this.#child.stdout?.on('data', look);
    this.#child.stderr?.on('data', look);
    look();
    await Promise.race([promise, this.#output]);
    if (!has()) throw new Error(`it ended without ${String(text)}: ${this.#stdout}${this.#stderr}`);
  }
}

/** Starts a program in the network namespace and control group of the controller. */
export function startInLab(places: LabPlaces, words: readonly string[], options: RunOptions = {}): Controlled {
  const group = join(places.cgroup, 'controller');
  const enter = ['sh', '-c', 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"', 'sh', group];
  const program = options.tty === true ? ['script', '-qefc', words.map(quote).join(' '), '/dev/null'] : words;
  const [first = '', ...rest] = [...enter, 'nsenter', `--net=/run/netns/${places.netns}`, ...program];
  const hasInput = options.input !== undefined || options.tty === true || options.keepsInput === true;
  const child = spawn(first, rest, {
    cwd: options.cwd ?? project,
    env: { ...environmentOf(places), ...options.env },
    stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  return new Controlled(child, options.input);
}

/** The words that run fettle. */
export function fettleWords(argv: readonly string[]): readonly string[] {
  return [process.execPath, cli, ...argv];
}

function environmentOf(places: LabPlaces): Record<string, string> {
  const path = `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  return {
    PATH: path,
    HOME: places.homeDir,
    LANG: 'C.UTF-8',
    TERM: 'xterm',
    FETTLE_LEDGER: places.ledgerFile,
  };
}

function quote(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
