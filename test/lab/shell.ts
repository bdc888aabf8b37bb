import { spawn } from 'node:child_process';

export interface CommandResult {
  /** Of a process that a signal ended: 128 plus the signal's number, or 255 where it is not known. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string | Uint8Array;
  /** In place of the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
}

/** Runs a program to its end. Rejects only when it cannot be started. */
export function capture(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program = '', ...rest] = command;
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const child = spawn(program, rest, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...(options.env ?? process.env), PATH: pathWithSbin(options.env?.['PATH'] ?? process.env['PATH']) },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { signal: options.signal, killSignal: 'SIGKILL' as const }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program that ends without reading its input is no error of ours.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  child.on('error', reject);
  child.on('close', (code, signal) => {
    resolve({
      code: code ?? (signal === 'SIGKILL' ? 137 : 255),
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString(),
    });
  });
  return promise;
}

/** Where Debian keeps ip and debootstrap, which a root without a login shell may lack. */
function pathWithSbin(path = ''): string {
  return `${path}:/usr/sbin:/sbin`;
}

/** Runs a program that must succeed and gives its standard output. */
export async function run(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await capture(command, options);
  if (result.code !== 0) {
    const said = [result.stdout.trim(), result.stderr.trim()].filter(Boolean).join('\n').slice(-4_000);
    throw new Error(`${command.slice(0, 6).join(' ').slice(0, 300)} ended with ${result.code}: ${said}`);
  }
  return result.stdout;
}

/** Calls `work` for each item, at most `width` at once, and keeps the order of the results. */
export async function eachOf<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  async function worker(): Promise<void> {
    for (let at = next++; at < items.length; at = next++) {
      const item = items[at];
      if (item !== undefined) results[at] = await work(item);
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
