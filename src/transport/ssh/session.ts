import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import { FettleError } from '../../domain/error.ts';
import { converse, type ChannelEnd } from '../channel.ts';
import type { CredentialGuard } from '../credential-guard.ts';
import { cancelled, orCancelled } from '../limit.ts';
import type { ExecRequest, ExecResult, Session } from '../session.ts';
import { watchSilence } from './idle.ts';

/** sshd's MaxSessions is 10 by default, sshd_config(5); some are reserved for commands that were abandoned. */
const channelsAtOnce = 8;

export interface SshConnection {
  readonly client: Client;
  /** The bytes from the host, to distinguish silence from slowness. */
  readonly stream: Duplex;
  readonly idleMs: number;
  readonly credentials: CredentialGuard;
  readonly shell: Session['shell'];
  readonly endpoint: string;
  /** Ends the connection and releases its jump connections. */
  readonly close: () => Promise<void>;
}

/**
 * sshd frees the session of a command a moment after it reported its end, and a request may overtake that; an
 * abandoned command keeps its session while it runs. A channel that was not opened has run nothing, so opening it is
 * retried.
 */
const openPausesMs: readonly number[] = [20, 60, 180, 540];

/** How the channel of a command ended; attached as soon as the channel exists, for it may end at once. */
interface Running {
  readonly channel: ClientChannel;
  readonly ended: Promise<ChannelEnd>;
}

/** One authenticated connection. */
export class SshSession implements Session {
  readonly hostName: string;
  readonly transport = 'ssh';
  readonly shell: Session['shell'];
  readonly endpoint: string;
  readonly credentials: CredentialGuard;
  readonly #connection: SshConnection;
  readonly #watch: Disposable;
  readonly #waiting: (() => void)[] = [];
  readonly #onLost = new Set<(error: FettleError) => void>();
  #lost: FettleError | undefined;
  #open = 0;

  constructor(hostName: string, connection: SshConnection) {
    this.hostName = hostName;
    this.credentials = connection.credentials;
    this.shell = connection.shell;
    this.endpoint = connection.endpoint;
    this.#connection = connection;
    const { client, stream, idleMs } = connection;
    client.on('error', (error) => this.#lose(error.message, error));
    client.on('close', () => this.#lose('it closed the connection'));
    this.#watch = watchSilence(stream, idleMs, () => {
      this.#lose(`it sent nothing for ${idleMs / 1000} s (idle limit)`);
      stream.destroy();
    });
  }

  get isAlive(): boolean {
    return this.#lost === undefined;
  }

  async exec(request: ExecRequest): Promise<ExecResult> {
    const what = `the command on ${this.hostName}`;
    if (request.signal?.aborted) throw cancelled(request.signal, what);
    await this.#turn(request.signal, what);
    try {
      const { channel, ended } = await this.#begin(request, what);
      const streams = { stdin: channel, stdout: channel, stderr: channel.stderr };
      const result = await converse({ ...streams, ended, release: () => channel.close() }, request, what);
      this.#refuseNoLogin(result);
      return result;
    } finally {
      this.#open -= 1;
      this.#waiting.shift()?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lose('it was closed');
    await this.#connection.close();
  }

  #lose(why: string, cause?: Error): void {
    if (this.#lost !== undefined) return;
    this.#watch[Symbol.dispose]();
    this.#lost = new FettleError('lost', `the connection to ${this.hostName} is lost: ${why}`, {
      hint: 'work already started on the host continues on its own',
      cause,
    });
    for (const tell of this.#onLost) tell(this.#lost);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Waits for a free channel and takes it. */
  async #turn(signal: AbortSignal | undefined, what: string): Promise<void> {
    while (this.#open >= channelsAtOnce && this.isAlive) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      try {
        await orCancelled(promise, signal, what);
      } catch (error) {
        const at = this.#waiting.indexOf(resolve);
        // Woken and cancelled at once: the turn passes to the next waiter.
        if (at >= 0) this.#waiting.splice(at, 1);
        else this.#waiting.shift()?.();
        throw error;
      }
    }
    this.#open += 1;
  }

  /** The channel of a command that was cancelled while it was being opened is closed when it comes. */
  async #begin(request: ExecRequest, what: string): Promise<Running> {
    const starting = this.#start(request);
    try {
      return await orCancelled(starting, request.signal, what);
    } catch (error) {
      starting.then(dropChannel, () => undefined);
      throw error;
    }
  }

  async #start({ command, signal }: ExecRequest): Promise<Running> {
    for (const pauseMs of openPausesMs) {
      try {
        return await this.#openChannel(command);
      } catch (error) {
        if (!isFull(error)) throw this.#refused(error);
        await sleep(pauseMs);
        if (signal?.aborted) throw cancelled(signal, `the command on ${this.hostName}`);
      }
    }
    return this.#openChannel(command).catch((error: unknown) => {
      throw this.#refused(error);
    });
  }

  async #openChannel(command: string): Promise<Running> {
    const { promise, resolve, reject } = Promise.withResolvers<Running>();
    if (this.#lost !== undefined) throw this.#lost;
    this.#onLost.add(reject);
    try {
      this.#connection.client.exec(command, (error, channel) => {
        if (error !== undefined && error !== null) reject(error);
        else resolve({ channel, ended: this.#endOf(channel) });
      });
      return await promise;
    } finally {
      this.#onLost.delete(reject);
    }
  }

  #endOf(channel: ClientChannel): Promise<ChannelEnd> {
    const { promise, resolve, reject } = Promise.withResolvers<ChannelEnd>();
    promise.catch(() => undefined);
    let end: ChannelEnd | undefined;
    channel.on('error', () => undefined);
    channel.on('exit', (code: number | null, signal?: string) => {
      end = { exitCode: code, ...(signal === undefined ? {} : { signal }) };
    });
    channel.on('close', () => {
      this.#onLost.delete(reject);
      if (end !== undefined) resolve(end);
      else reject(this.#lost ?? this.#untold());
    });
    this.#onLost.add(reject);
    return promise;
  }

  #untold(): FettleError {
    return new FettleError('lost', `a command on ${this.hostName} ended without an exit status`, {
      hint: 'its outcome is unknown; check the host',
    });
  }

  #refused(cause: unknown): FettleError {
    if (cause instanceof FettleError) return cause;
    if (this.#lost !== undefined) return this.#lost;
    const message = cause instanceof Error ? cause.message : String(cause);
    return new FettleError('connect', `${this.hostName} refuses to run a command: ${message}`, {
      hint: 'too many sessions may be open, or the account may be limited to forwarding (sshd_config MaxSessions, authorized_keys)',
      cause,
    });
  }

  /** nologin(8) is a shell: it answers every command with this line and status 1. */
  #refuseNoLogin({ exitCode, stdout }: ExecResult): void {
    if (exitCode !== 1 || stdout.length > 200) return;
    const output = stdout.toString('utf8').trim();
    if (output !== 'This account is currently not available.') return;
    throw new FettleError('auth', `the account on ${this.hostName} is not allowed to run commands: ${output}`, {
      hint: 'its login shell is nologin; give the account a shell, or use another user',
    });
  }
}

/** RFC 4254 5.1: the channel was not opened, and not because it may never be. */
function isFull(error: unknown): boolean {
  return error instanceof Error && 'reason' in error && error.reason !== 1;
}

function dropChannel({ channel }: Running): void {
  channel.resume();
  channel.stderr.resume();
  channel.close();
}
