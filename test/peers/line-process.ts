// A program that answers each line with a line.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface LineProgram {
  readonly file: string;
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export class LineProcess implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: string[] = [];
  readonly #ended: Promise<void>;
  #news = Promise.withResolvers<void>();
  #hasEnded = false;
  #problems = '';

  constructor({ file, words, environment = {} }: LineProgram) {
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', PYTHONDONTWRITEBYTECODE: '1', ...environment };
    this.#child = spawn(file, words, { env, stdio: 'pipe' });
    this.#child.stdin.on('error', () => undefined);
    this.#child.stderr.on('data', (bytes: Buffer) => (this.#problems += bytes.toString()));
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#lines.push(line);
      this.#news.resolve();
    });
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', (error) => (this.#problems += error.message));
      this.#child.on('close', () => {
        this.#hasEnded = true;
        this.#news.resolve();
        resolve();
      });
    });
  }

  /** Everything said until this line, which is left out; all of it is taken. */
  async until(end: string): Promise<readonly string[]> {
    const lines: string[] = [];
    for (let line = await this.next(); line !== end; line = await this.next()) lines.push(line);
    return lines;
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** The next line. Throws with what the program said on stderr where it ended instead. */
  async next(): Promise<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.#hasEnded) throw new Error(`${this.#child.spawnfile} ended: ${this.#problems}`);
      await this.#news.promise;
      this.#news = Promise.withResolvers<void>();
    }
  }

  ask(line: string): Promise<string> {
    this.write(line);
    return this.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}
