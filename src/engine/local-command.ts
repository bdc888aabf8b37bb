import { spawn } from 'node:child_process';
import type { ChildProcess, ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { FettleError, isOurShortage } from '../domain/error.ts';
import { throughShortages } from '../transport/shortage.ts';

interface LocalCommand {
  /** Program and arguments; no shell is involved. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly outputLimitBytes: number;
  readonly signal: AbortSignal;
}

interface LocalResult {
  /** Null when a signal ended it or it could not be started. */
  readonly exitCode: number | null;
  /** stdout and stderr as they came, up to the limit. */
  readonly output: Buffer;
  readonly problem?: string;
  /** It was not started: this machine ran short of something. */
  readonly shortage?: FettleError;
}

/** Runs one command on the controller; never rejects. */
export type SpawnLocal = (command: LocalCommand) => Promise<LocalResult>;

/** What a hook may know of the controller's own environment. */
const passedOn = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];

/** `spawnLocal` with the harmless part of the given environment under the command's own. */
export function localSpawner(environment: Readonly<Record<string, string | undefined>>): SpawnLocal {
  const base = Object.fromEntries(
    passedOn.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return (command) => spawnLocal({ ...command, environment: { ...base, ...command.environment } });
}

const killAfterMs = 5_000;
/** A child left in the background may hold the pipes open after the command itself has ended. */
const drainMs = 1_000;

/** How long a command waits for a descriptor or a process of this machine. */
const startLimitMs = 30_000;

/**
 * Runs the command in a process group of its own, so that a time limit or a detach ends its children too: SIGTERM, and
 * five seconds later SIGKILL.
 */
export const spawnLocal: SpawnLocal = async (command) => {
  const [program = ''] = command.argv;
  const limit = { ms: startLimitMs, signal: command.signal, what: program };
  try {
    return await ending(await throughShortages(() => start(command), limit), command);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    const shortage = cause instanceof FettleError && isOurShortage(cause) ? { shortage: cause } : {};
    return { exitCode: null, output: Buffer.alloc(0), problem, ...shortage };
  }
};

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Rejects with the system's error where it cannot be started. */
async function start({ argv, environment }: LocalCommand): Promise<Child> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    env: { ...environment },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Without descriptors there are no streams at all, whatever their type; the error follows in the next turn of the event loop.
  if (child.pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error];
    throw error;
  }
  return child;
}

function ending(child: Child, command: LocalCommand): Promise<LocalResult> {
  const { promise, resolve } = Promise.withResolvers<LocalResult>();
  const output: Buffer[] = [];
  let keptBytes = 0;
  let problem: string | undefined;
  const keep = (chunk: Buffer): void => {
    const kept = chunk.subarray(0, command.outputLimitBytes - keptBytes);
    keptBytes += kept.length;
    output.push(kept);
  };
  let killTimer: NodeJS.Timeout | undefined;
  const end = (why: string): void => {
    problem ??= why;
    signalGroup(child, 'SIGTERM');
    killTimer ??= setTimeout(() => signalGroup(child, 'SIGKILL'), killAfterMs);
  };
  const timer = setTimeout(() => end(`no end after ${command.timeoutMs / 1_000} s`), command.timeoutMs);
  const onAbort = (): void => end('fettle detached');
  command.signal.addEventListener('abort', onAbort, { once: true });
  if (command.signal.aborted) onAbort();
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.on('error', (error) => (problem ??= error.message));
  let drainTimer: NodeJS.Timeout | undefined;
  child.on('exit', () => {
    drainTimer = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, drainMs);
  });
  child.on('close', (exitCode) => {
    for (const running of [timer, killTimer, drainTimer]) clearTimeout(running);
    command.signal.removeEventListener('abort', onAbort);
    resolve({ exitCode, output: Buffer.concat(output), ...(problem === undefined ? {} : { problem }) });
  });
  return promise;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}
