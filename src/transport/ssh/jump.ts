import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { FettleError } from '../../domain/error.ts';
import type { Connection } from '../../domain/host.ts';
import { hostNameProblem, userNameProblem } from '../../domain/plain-name.ts';
import { cancelled, orCancelled, whenAborted } from '../limit.ts';
import { connectTimeout } from './connect.ts';

export interface Opened {
  readonly client: Client;
  readonly stream: Duplex;
  readonly idleMs: number;
  /** As `Session.endpoint`. */
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

export interface JumpTarget {
  readonly host: string;
  readonly port: number;
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
}

export interface JumpedStream {
  readonly stream: Duplex;
  /** Call it when the stream is no longer needed; the last call closes the connection to the jump host. */
  readonly release: () => Promise<void>;
}

/** One connection to a jump host, made or in the making. */
export interface SharedJump {
  readonly opened: Promise<Opened>;
  users: number;
  /** The connection that this one is waiting for, while it is being made. */
  waitsFor: SharedJump | undefined;
}

export interface BehindJump {
  readonly connection: Connection;
  /** The jump connection for which this one is opened. */
  readonly via: SharedJump | undefined;
}

/** Connections to jump hosts: one for all hosts that are reached the same way, closed with the last of them. */
export class JumpConnections implements AsyncDisposable {
  readonly #open: (behind: BehindJump) => Promise<Opened>;
  readonly #shared = new Map<string, SharedJump>();

  constructor(open: (behind: BehindJump) => Promise<Opened>) {
    this.#open = open;
  }

  /** `hops` are nearest first; `connection` is that of the target host. */
  async through(hops: readonly string[], target: JumpTarget, behind: BehindJump): Promise<JumpedStream> {
    const chain = hops.join(',');
    const connection = jumpConnection(behind.connection, hops);
    const key = JSON.stringify([connection, connection.privateKeyPassphrase?.reveal() ?? null]);
    const shared = this.#share(key, connection);
    try {
      refuseCircle(shared, behind.via, target.host);
      if (behind.via !== undefined) behind.via.waitsFor = shared;
      const { client } = await orCancelled(shared.opened, target.signal, `the connection through ${chain}`);
      const stream = await forward(client, target, chain);
      return { stream, release: () => this.#release(key, shared) };
    } catch (error) {
      await this.#release(key, shared);
      throw viaJump(error, chain);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#shared.values()];
    this.#shared.clear();
    await Promise.all(all.map(closeShared));
  }

  #share(key: string, connection: Connection): SharedJump {
    const known = this.#shared.get(key);
    if (known !== undefined) {
      known.users += 1;
      return known;
    }
    const { promise: opened, resolve, reject } = Promise.withResolvers<Opened>();
    const shared: SharedJump = { opened, users: 1, waitsFor: undefined };
    this.#shared.set(key, shared);
    const forget = (): void => {
      if (this.#shared.get(key) === shared) this.#shared.delete(key);
    };
    opened.then(({ client }) => client.once('close', forget), forget);
    this.#open({ connection, via: shared }).then(resolve, reject);
    return shared;
  }

  async #release(key: string, shared: SharedJump): Promise<void> {
    shared.users -= 1;
    if (shared.users > 0) return;
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
    await closeShared(shared);
  }
}

/** Jump hosts that are reached through each other would wait for each other for ever. */
function refuseCircle(wanted: SharedJump, via: SharedJump | undefined, host: string): void {
  for (let jump: SharedJump | undefined = wanted; jump !== undefined; jump = jump.waitsFor) {
    if (jump !== via) continue;
    throw new FettleError('config', `the route to ${host} leads through the host itself`, {
      hint: 'exclude each jump host from its own ProxyJump, e.g. Host * !jump',
    });
  }
}

async function closeShared({ opened }: SharedJump): Promise<void> {
  await opened.then(({ close }) => close()).catch(() => undefined);
}

/** The last hop of the chain, itself reached through the ones before it. Options of the host are not the jump's. */
export function jumpConnection(connection: Connection, hops: readonly string[]): Connection {
  const last = hops.at(-1) ?? '';
  const [, user, address, port] = /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(last) ?? [];
  if (address === undefined) {
    throw new FettleError('config', `the jump host "${last}" cannot be parsed`, { hint: 'write [user@]host[:port]' });
  }
  const problem =
    hostNameProblem(address.replace(/^\[|\]$/g, '')) ?? (user === undefined ? undefined : userNameProblem(user));
  if (problem !== undefined) throw new FettleError('config', `the jump host "${last}" ${problem}`);
  const before = hops.slice(0, -1);
  return {
    transport: 'ssh',
    address: address.replace(/^\[|\]$/g, ''),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user }),
    ...(connection.privateKeyFile === undefined ? {} : { privateKeyFile: connection.privateKeyFile }),
    ...(connection.privateKeyPassphrase === undefined ? {} : { privateKeyPassphrase: connection.privateKeyPassphrase }),
    sshArguments: [...sharedArguments(connection.sshArguments), ...(before.length > 0 ? ['-J', before.join(',')] : [])],
    hostKeyPolicy: connection.hostKeyPolicy,
    limits: connection.limits,
  };
}

/** The configuration file and the known_hosts files apply to the whole route. */
function sharedArguments(words: readonly string[]): string[] {
  const kept: string[] = [];
  for (const [index, word] of words.entries()) {
    if (word === '-F') kept.push(word, words[index + 1] ?? '');
    else if (/^-F./.test(word)) kept.push(word);
    else if (/^(-o)?\s*(User|Global)KnownHostsFile\b/i.test(word)) kept.push('-o', word.replace(/^-o/, ''));
  }
  return kept;
}

async function forward(client: Client, target: JumpTarget, chain: string): Promise<Duplex> {
  const { host, port, limitMs, signal } = target;
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const where = `${host} port ${port}`;
  let isOver = false;
  using _abort = whenAborted(signal, (aborted) => reject(cancelled(aborted, `the connection to ${where}`)));
  const timer = setTimeout(() => reject(connectTimeout(`${where} (through ${chain})`, limitMs)), limitMs);
  try {
    client.forwardOut('127.0.0.1', 0, host, port, (cause, channel) => {
      if (cause !== undefined && cause !== null) reject(notForwarded(where, chain, cause));
      else if (isOver) channel.destroy();
      else resolve(channel);
    });
    return await promise;
  } catch (error) {
    throw error instanceof FettleError ? error : notForwarded(where, chain, error);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}

/** RFC 4254 5.1: what sshd answers when it may not forward. */
const administrativelyProhibited = 1;

function notForwarded(where: string, chain: string, cause: unknown): FettleError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Error && 'reason' in cause && cause.reason === administrativelyProhibited) {
    return new FettleError('connect', `the jump host ${chain} refuses to forward to ${where}`, {
      hint: 'allow it there (sshd_config AllowTcpForwarding, PermitOpen)',
      cause,
    });
  }
  const hint = 'test the connection on the jump host: is the host up, and does its name resolve there?';
  const problem = message.replace(/^\(SSH\) Channel open failure: /, '');
  return new FettleError('connect', `the jump host ${chain} cannot reach ${where}: ${problem}`, { hint, cause });
}

function viaJump(error: unknown, chain: string): unknown {
  if (!(error instanceof FettleError) || error.message.includes(chain)) return error;
  return new FettleError(error.code, `jump host ${chain}: ${error.message}`, {
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.details === undefined ? {} : { details: error.details }),
  });
}
