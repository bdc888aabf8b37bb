import { FettleError } from '../../../domain/error.ts';
import { converse, type Channel } from '../../channel.ts';
import type { CredentialGuard } from '../../credential-guard.ts';
import { cancelled } from '../../limit.ts';
import type { ExecRequest, ExecResult, Session } from '../../session.ts';
import { isLoss, type WsmanClient } from '../wsman/client.ts';
import { commandChannel } from './running.ts';
import type { Shell, StartedCommand } from './shell.ts';
import type { Identity, RunningCommand } from '../soap/soap.ts';
import { Turns } from '../wsman/mutex.ts';
import { queryWql, type WqlQuery, type WqlRow } from '../wsman/wql.ts';

export interface WinrmConnection {
  readonly client: WsmanClient;
  readonly shell: Shell;
  readonly credentials: CredentialGuard;
  /** Ends the socket. */
  readonly close: () => void;
}

/** Limit for ending commands and the shell on the host, each. A host that does not answer must not block the end. */
const cleanupMs = 3_000;

/**
 * One login on one host and one shell there. Commands run one after the other; one whose reader pauses it yields to
 * others. A command ends with its session: work that must outlive it is started as a job. An abandoned command
 * (limit, cancellation) is stopped on the host, for it would keep the shell busy.
 */
export class WinrmSession implements Session {
  readonly hostName: string;
  readonly transport = 'winrm';
  readonly shell = 'powershell';
  readonly credentials: CredentialGuard;
  readonly #connection: WinrmConnection;
  readonly #turns = new Turns();
  readonly #ending = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  readonly #cleanups = new Set<Promise<unknown>>();
  #lost: FettleError | undefined;
  #closing: Promise<void> | undefined;

  constructor(hostName: string, connection: WinrmConnection) {
    this.hostName = hostName;
    this.credentials = connection.credentials;
    this.#connection = connection;
  }

  get isAlive(): boolean {
    return this.#lost === undefined && !this.#ending.signal.aborted;
  }

  async exec(request: ExecRequest): Promise<ExecResult> {
    const what = `the command on ${this.hostName}`;
    if (request.signal?.aborted) throw cancelled(request.signal, what);
    return this.#tracked(this.#run(request, what));
  }

  /** Rows of a WMI query, without starting a process there. */
  async query(query: WqlQuery): Promise<readonly WqlRow[]> {
    return this.#tracked(
      this.#asked((signal) => queryWql(this.#connection.client, { ...query, signal }), query.signal),
    );
  }

  async identify(signal?: AbortSignal): Promise<Identity> {
    return this.#tracked(this.#asked((both) => this.#connection.client.identify(both), signal));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #run(request: ExecRequest, what: string): Promise<ExecResult> {
    const signal = this.#withEnding(request.signal);
    let turn = await this.#turns.take(signal, what);
    let isOver = false;
    const stepBack = async (wait: () => Promise<void>, ended: AbortSignal): Promise<void> => {
      turn[Symbol.dispose]();
      await wait();
      turn = await this.#turns.take(ended, what);
      if (isOver) turn[Symbol.dispose]();
    };
    try {
      this.#refuseDead();
      const command = await this.#start(request, signal, what);
      const channel = commandChannel({
        shell: this.#connection.shell,
        command,
        signal: this.#ending.signal,
        finish: (ended, how) => this.#cleanUp((limit) => this.#finish(ended, how, limit)),
        stepBack,
      });
      channel.ended.catch((error: unknown) => this.#lose(error));
      return await this.#converse(channel, request, what);
    } finally {
      isOver = true;
      turn[Symbol.dispose]();
    }
  }

  /** If the connection fails while a command runs, the outcome is unknown, whatever the error. */
  async #converse(channel: Channel, request: ExecRequest, what: string): Promise<ExecResult> {
    try {
      return await converse(channel, request, what);
    } catch (error) {
      throw this.#lost?.cause === error ? this.#lost : error;
    }
  }

  async #start({ command }: ExecRequest, signal: AbortSignal, what: string): Promise<StartedCommand> {
    try {
      return await this.#connection.shell.start(command, signal, (uncertain) =>
        this.#cleanUp((limit) => this.#finish(uncertain, 'abandoned', limit)),
      );
    } catch (error) {
      if (signal.aborted) throw cancelled(signal, what);
      this.#lose(error);
      throw error;
    }
  }

  /** For single messages that need no lock and may overtake a waiting command. */
  async #asked<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    this.#refuseDead();
    try {
      return await work(this.#withEnding(signal));
    } catch (error) {
      this.#lose(error);
      throw error;
    }
  }

  async #finish(command: RunningCommand, how: 'done' | 'abandoned', limit: AbortSignal): Promise<void> {
    const { shell } = this.#connection;
    if (how === 'abandoned') await shell.signal(command, 'ctrl_c', limit);
    await shell.signal(command, 'terminate', limit);
  }

  /** In the background; a failure here is harmless (the command is gone) or shows in the next command. */
  #cleanUp(work: (limit: AbortSignal) => Promise<void>): void {
    if (this.#lost !== undefined) return;
    const done = within(cleanupMs, work).catch(() => undefined);
    this.#cleanups.add(done);
    void done.then(() => this.#cleanups.delete(done));
  }

  #lose(error: unknown): void {
    const isFinal = error instanceof FettleError && (error.code === 'auth' || error.code === 'host-key');
    if (this.#lost !== undefined || this.#ending.signal.aborted || (!isLoss(error) && !isFinal)) return;
    if (isFinal && error.details?.['fault'] !== undefined) return;
    this.#lost = new FettleError('lost', `the connection to ${this.hostName} is lost: ${error.message}`, {
      hint: 'jobs already started on the host continue on their own',
      ...(error.details === undefined ? {} : { details: error.details }),
      cause: error,
    });
  }

  #refuseDead(): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#ending.signal.aborted) throw this.#ending.signal.reason as Error;
  }

  #withEnding(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
  }

  async #tracked<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }

  async #close(): Promise<void> {
    const why = `the connection to ${this.hostName} is lost: it was closed`;
    this.#ending.abort(
      new FettleError('lost', why, { hint: 'jobs already started on the host continue on their own' }),
    );
    await Promise.allSettled(this.#running);
    await Promise.allSettled(this.#cleanups);
    // Tried on a lost connection too: a hanging command would keep its place until its idle time-out.
    await within(cleanupMs, (limit) => this.#connection.shell.remove(limit)).catch(() => undefined);
    this.#connection.close();
  }
}

async function within<T>(ms: number, work: (limit: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new FettleError('timeout', 'the host is slow to clean up')), ms);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
