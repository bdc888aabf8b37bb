import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemPath } from '../../src/remote/launch.ts';
import type { ExecRequest, ExecResult, Session } from '../../src/transport/session.ts';

export interface ShellSessionOptions {
  /** What `sh` shall be; absent = the machine's own. */
  readonly shell?: 'dash' | 'busybox';
  /** Put before the command, e.g. `['chroot', root]`. */
  readonly wrapper?: readonly string[];
  /** The wrapper steps down to nobody itself, so that what the host keeps belongs to that account. */
  readonly stepsDown?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

const nobody = 65_534;
const shellPaths = { dash: ['/usr/bin/dash', '/bin/dash'], busybox: ['/usr/bin/busybox', '/bin/busybox'] } as const;

/** Why a shell cannot be tried here; undefined when it can. */
export function shellIsMissing(shell: 'dash' | 'busybox'): string | undefined {
  return shellPaths[shell].some((path) => existsSync(path)) ? undefined : `${shell} is not installed`;
}

/**
 * Commands as `sh -c` runs them on a host, here and as an ordinary user (root steps down to nobody unless a wrapper
 * says where to go). Everything a host would keep, jobs above all, is in a directory that goes away.
 */
export class ShellSession implements Session {
  readonly hostName = 'web01';
  readonly transport = 'shell';
  readonly shell = 'posix';
  readonly isAlive = true;
  readonly home: string;
  readonly #options: ShellSessionOptions;

  constructor(options: ShellSessionOptions = {}) {
    this.#options = options;
    this.home = mkdtempSync(join(tmpdir(), 'fettle-test-'));
    mkdirSync(join(this.home, 'bin'));
    const found = shellPaths[options.shell ?? 'dash'].find((path) => existsSync(path));
    if (options.shell !== undefined && found !== undefined) symlinkSync(found, join(this.home, 'bin', 'sh'));
    chmodSync(this.home, 0o755);
    if (process.getuid?.() === 0 && (options.wrapper === undefined || options.stepsDown === true))
      chownSync(this.home, nobody, nobody);
  }

  /** What fettle keeps on this host. */
  get base(): string {
    return join(this.home, 'fettle-jobs');
  }

  /** Where the jobs of this host are. */
  get jobs(): string {
    return join(this.base, 'jobs');
  }

  /** The programs of this host, its shell above all, come before those of the machine. */
  #onThisHost(text: string): string {
    const bin = join(this.home, 'bin');
    const own = text.replaceAll(systemPath, `${bin}:${systemPath}`);
    return this.#options.shell === undefined ? own : own.replace(/^\/bin\/sh /, `${bin}/sh `);
  }

  exec(request: ExecRequest): Promise<ExecResult> {
    const { wrapper = [], env = {} } = this.#options;
    const words = [...wrapper, 'sh', '-c', this.#onThisHost(request.command)];
    const [program = 'sh', ...args] = words;
    const stepDown = process.getuid?.() === 0 && wrapper.length === 0 ? { uid: nobody, gid: nobody } : {};
    const path = `${join(this.home, 'bin')}:/usr/sbin:/usr/bin:/sbin:/bin`;
    const child = spawn(program, args, {
      ...stepDown,
      cwd: '/',
      detached: true,
      env: { PATH: path, HOME: this.home, XDG_STATE_HOME: this.home, TMPDIR: this.home, ...env },
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A command that ends without reading its input is its own affair.
    child.stdin.on('error', () => undefined);
    child.stdin.end(request.stdin === undefined ? '' : this.#onThisHost(String(request.stdin)));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode) => {
        const nothingCut = { stdoutTruncatedBytes: 0, stderrTruncatedBytes: 0 };
        resolve({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), exitCode, ...nothingCut });
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
