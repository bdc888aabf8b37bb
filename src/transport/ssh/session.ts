import type { Client, ClientChannel } from 'ssh2';
import { FettleError } from '../../domain/error.ts';
import { converse, type ChannelEnd } from '../channel.ts';
import type { ExecRequest, ExecResult, Session } from '../session.ts';

/** sshd's MaxSessions is 10 by default, sshd_config(5); one is left for people. */
const channelsAtOnce = 8;

/** One authenticated connection. Closing it ends the connection, and the jump connections it leans on. */
export class SshSession implements Session {
  readonly hostName: string;
  readonly transport = 'ssh';
  readonly shell = 'posix';
  readonly #client: Client;
  readonly #close: () => Promise<void>;
  readonly #waiting: (() => void)[] = [];
  readonly #onLost = new Set<(error: FettleError) => void>();
  #lost: FettleError | undefined;
  #open = 0;

  constructor(hostName: string, client: Client, close: () => Promise<void>) {
    this.hostName = hostName;
    this.#client = client;
    this.#close = close;
    client.on('error', (error) => this.#lose(error));
    client.on('close', () => this.#lose(undefined));
  }

  get isAlive(): boolean {
    return this.#lost === undefined;
  }

  #lose(cause: Error | undefined): void {
    if (this.#lost !== undefined) return;
    const isSilent = cause !== undefined && 'level' in cause && cause.level === 'client-timeout';
    const why = isSilent ? 'it does not answer any more' : (cause?.message ?? 'it closed the connection');
    this.#lost = new FettleError('lost', `the connection to ${this.hostName} is lost: ${why}`, {
      hint: 'work that was started there goes on by itself',
      cause,
    });
    for (const tell of this.#onLost) tell(this.#lost);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async exec(request: ExecRequest): Promise<ExecResult> {
    request.signal?.throwIfAborted();
    while (this.#open >= channelsAtOnce && this.isAlive) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#open += 1;
    try {
      const channel = await this.#openChannel(request.command);
      return await this.#converse(channel, request);
    } finally {
      this.#open -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #openChannel(command: string): Promise<ClientChannel> {
    const { promise, resolve, reject } = Promise.withResolvers<ClientChannel>();
    if (this.#lost !== undefined) throw this.#lost;
    this.#onLost.add(reject);
    try {
      this.#client.exec(command, (error, channel) => {
        if (error === undefined || error === null) resolve(channel);
        else reject(this.#refused(error));
      });
      return await promise;
    } catch (error) {
      throw error instanceof FettleError ? error : this.#refused(error);
    } finally {
      this.#onLost.delete(reject);
    }
  }

  #refused(cause: unknown): FettleError {
    if (this.#lost !== undefined) return this.#lost;
    const message = cause instanceof Error ? cause.message : String(cause);
    return new FettleError('command', `${this.hostName} refuses to run a command: ${message}`, {
      hint: 'the account may have no shell, a forced command, or too many sessions',
      cause,
    });
  }

  async #converse(channel: ClientChannel, request: ExecRequest): Promise<ExecResult> {
    const { promise: ended, resolve, reject } = Promise.withResolvers<ChannelEnd>();
    ended.catch(() => undefined);
    let end: ChannelEnd | undefined;
    channel.on('error', () => undefined);
    channel.on('exit', (code: number | null, signal?: string) => {
      end = { exitCode: code, ...(signal === undefined ? {} : { signal }) };
    });
    channel.on('close', () => {
      if (end !== undefined) resolve(end);
      else
        reject(
          this.#lost ??
            new FettleError('lost', `a command on ${this.hostName} ended without telling how`, {
              hint: 'its outcome is unknown; look at the host',
            }),
        );
    });
    this.#onLost.add(reject);
    try {
      const streams = { stdin: channel, stdout: channel, stderr: channel.stderr };
      return await converse(
        { ...streams, ended, release: () => channel.close() },
        request,
        `the command on ${this.hostName}`,
      );
    } finally {
      this.#onLost.delete(reject);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lose(new Error('it was closed'));
    await this.#close();
  }
}
