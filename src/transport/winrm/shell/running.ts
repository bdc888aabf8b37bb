import { Readable, Writable } from 'node:stream';
import { setImmediate as nextRound } from 'node:timers/promises';
import { FettleError } from '../../../domain/error.ts';
import type { Channel, ChannelEnd } from '../../channel.ts';
import { orCancelled } from '../../limit.ts';
import { pieceBytes, type Shell, type StartedCommand } from './shell.ts';

export interface RunningPorts {
  readonly shell: Shell;
  readonly command: StartedCommand;
  /** Aborted when the session ends. */
  readonly signal: AbortSignal;
  /** Yields to other commands while `wait` waits for the reader of this one's output. */
  readonly stepBack: (wait: () => Promise<void>, signal: AbortSignal) => Promise<void>;
  /** Ends the command on the host, in the background: it has finished, or no caller waits for it. */
  readonly finish: (command: StartedCommand, how: 'done' | 'abandoned') => void;
}

type Streams = Readonly<Record<'stdout' | 'stderr', Readable>>;

/**
 * The streams of one command. Its stdin is sent before its output is asked for, since one connection carries one
 * message at a time: the host must buffer the output of a command until then.
 */
export function commandChannel(ports: RunningPorts): Channel {
  const released = new AbortController();
  const signal = AbortSignal.any([released.signal, ports.signal]);
  const input = new Input();
  const streams = { stdout: pushedOutput(), stderr: pushedOutput() };
  let isOver = false;
  const finish = (how: 'done' | 'abandoned'): void => {
    if (!isOver) ports.finish(ports.command, how);
    isOver = true;
  };
  const ended = pump(ports, { input, streams, signal }).then((end) => {
    finish('done');
    return end;
  });
  const close = (): void => {
    for (const stream of Object.values(streams)) stream.push(null);
    input.stdin.destroy();
  };
  ended.then(close, close);
  const release = (): void => {
    released.abort(new FettleError('cancelled', 'the command was abandoned'));
    finish('abandoned');
  };
  return { stdin: input.stdin, ...streams, ended, release };
}

/** Filled from outside; `read` has nothing to do. */
function pushedOutput(): Readable {
  return new Readable({ read: () => undefined });
}

interface Wires {
  readonly input: Input;
  readonly streams: Streams;
  readonly signal: AbortSignal;
}

async function pump(ports: RunningPorts, { input, streams, signal }: Wires): Promise<ChannelEnd> {
  const { shell, command } = ports;
  let output = command.early;
  let hasGap = false;
  for (;;) {
    hasGap ||= output.hasGap === true;
    for (const { stream, bytes } of output.pieces) streams[stream].push(bytes);
    if (output.exitCode !== undefined) return { exitCode: output.exitCode, ...(hasGap ? { hasGap: true } : {}) };
    // The reader processes the output (and may answer on stdin) before the host is polled again.
    await nextRound();
    signal.throwIfAborted();
    if (isHeld(streams)) await ports.stepBack(() => readersReady(streams, signal), signal);
    for (let piece = input.next(); piece !== undefined; piece = input.next()) {
      if (!(await shell.send(command, piece, signal))) input.close();
    }
    output = await shell.receive(command, signal);
  }
}

function isHeld(streams: Streams): boolean {
  return Object.values(streams).some((stream) => stream.isPaused());
}

/** A reader that has not finished pauses the polling of the host. */
async function readersReady(streams: Streams, signal: AbortSignal): Promise<void> {
  for (const stream of Object.values(streams)) {
    while (stream.isPaused()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      stream.once('resume', resolve);
      try {
        await orCancelled(promise, signal, 'the command');
      } finally {
        stream.off('resume', resolve);
      }
    }
  }
}

/** Data to send: accepted at once, since the caller has it in memory anyway, and cut into pieces. */
class Input {
  readonly stdin: Writable;
  #waiting: Buffer[] = [];
  #isEnded = false;
  #isClosed = false;

  constructor() {
    this.stdin = new Writable({
      write: (chunk: Buffer, _encoding, taken) => {
        this.#waiting.push(chunk);
        taken();
      },
      final: (taken) => {
        this.#isEnded = true;
        taken();
      },
    });
  }

  /** The next piece; the last one, possibly empty, marks the end of file. Undefined when none is ready. */
  next(): { readonly bytes: Buffer; readonly isEnd: boolean } | undefined {
    if (this.#isClosed) return undefined;
    const [first = Buffer.alloc(0), ...others] = this.#waiting;
    if (first.length === 0 && others.length === 0 && !this.#isEnded) return undefined;
    const bytes = first.subarray(0, pieceBytes);
    const rest = first.subarray(pieceBytes);
    this.#waiting = rest.length > 0 ? [rest, ...others] : others;
    const isEnd = this.#isEnded && this.#waiting.length === 0;
    if (isEnd) this.#isClosed = true;
    return { bytes, isEnd };
  }

  /** The command no longer reads its input. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
  }
}
