// fettle as a process of its own, with a home of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cli } from '../support/cli.ts';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Rig implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async make(): Promise<Rig> {
    return new Rig(await mkdtemp(join(tmpdir(), 'fettle-cli-')));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async write(name: string, text: string): Promise<string> {
    await writeFile(this.path(name), text);
    return this.path(name);
  }

  /** No terminal, and nothing in the environment but what cron gives. */
  run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return this.start([process.execPath, cli, ...argv], env);
  }

  async start(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const [program = '', ...rest] = words;
    const child = spawn(program, rest, {
      cwd: this.directory,
      env: {
        PATH: `${dirname(process.execPath)}:/usr/sbin:/usr/bin:/sbin:/bin`,
        HOME: this.directory,
        FETTLE_LEDGER: this.path('ledger.db'),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.directory, { recursive: true, force: true });
  }
}
