// What every transport does with a running command: feed it, hold a dialogue, collect its output under a cap.
import type { Readable, Writable } from 'node:stream';
import { FettleError } from '../domain/error.ts';
import type { Dialogue, ExecRequest, ExecResult } from './session.ts';

export interface ChannelEnd {
  readonly exitCode: number | null;
  readonly signal?: string;
}

export interface Channel {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the command has ended and both outputs are read; rejects with a `FettleError` when it was lost. */
  readonly ended: Promise<ChannelEnd>;
  /** Lets the command go without killing it. */
  readonly release: () => void;
}

const defaultLimitBytes = 16 * 1024 * 1024;
/** Of what a dialogue looks at; a prompt is short. */
const dialogueBytes = 8_192;

/** Both outputs are always drained, also those nobody asked for: an unread one would stop the other. */
export async function converse(channel: Channel, request: ExecRequest, what: string): Promise<ExecResult> {
  const limit = request.outputLimitBytes ?? defaultLimitBytes;
  const stdout = new Collected(limit);
  const stderr = new Collected(limit);
  const { promise: failure, reject: fail } = Promise.withResolvers<never>();
  failure.catch(() => undefined);
  channel.stdin.on('error', () => undefined);
  const dialogue = new Conversation(channel.stdin, request, fail);
  const outputs = [
    drain(channel.stdout, stdout, request.onStdout),
    drain(channel.stderr, stderr, async (chunk) => {
      dialogue.hear(stderr);
      await request.onStderr?.(chunk);
    }),
  ];
  using _limits = limitTime(request, what, fail);
  try {
    dialogue.begin();
    const [end] = await Promise.race([Promise.all([channel.ended, ...outputs]), failure]);
    return {
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
      exitCode: end.exitCode,
      ...(end.signal === undefined ? {} : { signal: end.signal }),
      stdoutTruncatedBytes: stdout.truncatedBytes,
      stderrTruncatedBytes: stderr.truncatedBytes,
    };
  } catch (error) {
    channel.release();
    throw error;
  }
}

async function drain(stream: Readable, into: Collected, tell: ExecRequest['onStdout']): Promise<void> {
  try {
    for await (const chunk of stream) {
      const bytes = chunk as Buffer;
      into.add(bytes);
      await tell?.(bytes);
    }
  } catch {
    // How a stream ended is told by the channel's own end.
  }
}

/** Bytes up to a cap; what comes after is counted. */
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

  /** Forgets the first bytes: a prompt that was answered is no output. */
  consume(count: number): void {
    const rest = this.bytes().subarray(count);
    this.#chunks.length = 0;
    this.#chunks.push(rest);
    this.#size = rest.length;
  }
}

/** Holds stdin back until the dialogue says go. */
class Conversation {
  readonly #stdin: Writable;
  readonly #request: ExecRequest;
  readonly #fail: (error: FettleError) => void;
  #dialogue: Dialogue | undefined;

  constructor(stdin: Writable, request: ExecRequest, fail: (error: FettleError) => void) {
    this.#stdin = stdin;
    this.#request = request;
    this.#fail = fail;
    this.#dialogue = request.dialogue;
  }

  begin(): void {
    if (this.#dialogue === undefined) this.#stdin.end(this.#request.stdin ?? '');
  }

  hear(stderr: Collected): void {
    while (this.#dialogue !== undefined) {
      const answer = this.#dialogue.next(stderr.bytes().toString('latin1', 0, dialogueBytes));
      if (answer.kind === 'wait') return;
      if (answer.kind === 'fail') {
        this.#dialogue = undefined;
        this.#fail(answer.error);
        return;
      }
      stderr.consume(answer.consumed);
      if (answer.kind === 'send') {
        this.#stdin.write(answer.bytes);
      } else {
        this.#dialogue = undefined;
        this.begin();
      }
    }
  }
}

function limitTime(request: ExecRequest, what: string, fail: (error: Error) => void): Disposable {
  const { signal, timeoutMs } = request;
  const onAbort = (): void => {
    const reason: unknown = signal?.reason;
    fail(
      reason instanceof FettleError ? reason : new FettleError('cancelled', `${what} was cancelled`, { cause: reason }),
    );
  };
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          const hint = 'it goes on over there; raise the limit to wait longer';
          fail(new FettleError('timeout', `${what} took longer than its limit of ${timeoutMs / 1000} s`, { hint }));
        }, timeoutMs);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}
