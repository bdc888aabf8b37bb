// What every transport does with a running command: feed it, hold a dialogue, collect its output under a cap.
import type { Readable, Writable } from 'node:stream';
import { FettleError } from '../domain/error.ts';
import { Conversation } from './conversation.ts';
import { cancelled, whenAborted } from './limit.ts';
import type { ExecRequest, ExecResult } from './session.ts';

export interface ChannelEnd {
  readonly exitCode: number | null;
  readonly signal?: string;
  readonly hasGap?: true;
}

export interface Channel {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the command has ended; rejects with a `FettleError` when it was lost. */
  readonly ended: Promise<ChannelEnd>;
  /** Detaches from the command without killing it. */
  readonly release: () => void;
}

const defaultLimitBytes = 16 * 1024 * 1024;

/** Both outputs are always drained, even if they are not wanted: an unread one would block the other. */
export async function converse(channel: Channel, request: ExecRequest, what: string): Promise<ExecResult> {
  const limit = request.outputLimitBytes ?? defaultLimitBytes;
  const stdout = new Collected(limit);
  const stderr = new Collected(limit);
  const { promise: failure, reject: fail } = Promise.withResolvers<never>();
  failure.catch(() => undefined);
  channel.ended.catch(() => undefined);
  channel.stdin.on('error', () => undefined);
  using conversation = new Conversation(channel.stdin, request, { what, fail });
  using _limits = limitTime(request, what, fail);
  const outputs = Promise.all([
    drain(channel.stdout, (chunk) => keep(stdout, chunk, request.onStdout)),
    drain(channel.stderr, (chunk) => {
      const output = conversation.hear(chunk);
      return output.length === 0 ? undefined : keep(stderr, output, request.onStderr);
    }),
  ]);
  outputs.catch(fail);
  try {
    conversation.begin();
    const [end] = await Promise.race([Promise.all([channel.ended, outputs]), failure]);
    const rest = conversation.unanswered();
    if (rest.length > 0) await keep(stderr, rest, request.onStderr);
    return {
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
      exitCode: end.exitCode,
      ...(end.signal === undefined ? {} : { signal: end.signal }),
      ...(end.hasGap === true ? { hasGap: true } : {}),
      stdoutTruncatedBytes: stdout.truncatedBytes,
      stderrTruncatedBytes: stderr.truncatedBytes,
    };
  } catch (error) {
    channel.release();
    throw error;
  }
}

type Tell = ExecRequest['onStdout'];

function keep(into: Collected, chunk: Buffer, tell: Tell): void | Promise<void> {
  into.add(chunk);
  return tell?.(chunk);
}

/**
 * Reads to the end and until the last piece is processed, pausing the stream meanwhile. How the command ended is reported
 * elsewhere.
 */
async function drain(stream: Readable, take: (chunk: Buffer) => void | Promise<void>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let taken: void | Promise<void>;
  const onData = (chunk: Buffer): void => {
    try {
      taken = take(chunk);
      if (taken === undefined) return;
      stream.pause();
      taken.then(() => stream.resume(), reject);
    } catch (error) {
      reject(error);
    }
  };
  stream.on('data', onData);
  for (const event of ['end', 'close', 'error']) stream.on(event, () => resolve(taken));
  try {
    await promise;
  } finally {
    stream.off('data', onData);
    stream.resume();
  }
}

/** Bytes up to a cap; further bytes are only counted. */
class Collected {
  readonly #limit: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  truncatedBytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    const kept = chunk.subarray(0, Math.max(0, this.#limit - this.#size));
    if (kept.length > 0) this.#chunks.push(kept);
    this.#size += kept.length;
    this.truncatedBytes += chunk.length - kept.length;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

function limitTime(request: ExecRequest, what: string, fail: (error: Error) => void): Disposable {
  const { signal, timeoutMs } = request;
  const limits = new DisposableStack();
  limits.use(whenAborted(signal, (aborted) => fail(cancelled(aborted, what))));
  if (timeoutMs === undefined) return limits;
  const timer = setTimeout(() => {
    const hint = 'it keeps running on the host; raise the limit to wait longer';
    fail(new FettleError('timeout', `${what} took longer than its limit of ${timeoutMs / 1000} s`, { hint }));
  }, timeoutMs);
  limits.defer(() => clearTimeout(timer));
  return limits;
}
