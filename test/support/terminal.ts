// A process with a terminal of its own, by script(1): it writes and reads what a person would see and type.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

export interface TerminalOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export class Terminal implements AsyncDisposable {
  readonly #script: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<number | null>;
  /** Everything that appeared, escape sequences included. */
  shown = '';

  constructor(words: readonly string[], { cwd, env }: TerminalOptions) {
    const command = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    this.#script = spawn('script', ['--quiet', '--return', '--flush', '--command', `exec ${command}`, '/dev/null'], {
      cwd,
      env: { TERM: 'xterm', ...env },
    });
    this.#script.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.shown += text;
    });
    this.#script.stderr.resume();
    this.#ended = once(this.#script, 'close').then(([code]) => code as number | null);
  }

  async waitFor(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.shown)) {
      const isOver = await Promise.race([
        once(this.#script.stdout, 'data').then(() => false),
        this.#ended.then(() => true),
      ]);
      if (isOver && !pattern.test(this.shown)) throw new Error(`it ended without ${String(pattern)}: ${this.shown}`);
    }
  }

  type(keys: string): void {
    this.#script.stdin.write(keys);
  }

  /** Sends a signal to the process itself, as `kill` would; proc_pid_task(5) names the one child of script. */
  kill(signal: NodeJS.Signals): void {
    const { pid } = this.#script;
    process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()), signal);
  }

  /** The exit code; 128 and the number of the signal that ended it. */
  ended(): Promise<number | null> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#script.kill('SIGKILL');
    await this.#ended;
  }
}
