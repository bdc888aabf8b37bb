import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'ssh2';
import { Slots } from '../../base/slots.ts';
import { atAddress, FettleError } from '../../domain/error.ts';
import type { Connection, ConnectionLimits, Host, HostKeyPolicy } from '../../domain/host.ts';
import { jumpsOf } from '../../domain/jump.ts';
import type { CredentialGuard } from '../credential-guard.ts';
import { cancelled } from '../limit.ts';
import type { OpenOptions, Session, Transport } from '../session.ts';
import { algorithmsFor } from './algorithms.ts';
import { Authentication } from './auth.ts';
import { SshConfiguration, type SshEnvironment } from './configuration.ts';
import { openSocket } from './connect.ts';
import { Identities, type IdentityEnvironment } from './identity.ts';
import { JumpConnections, jumpConnection, type BehindJump, type Opened, type SharedJump } from './jump.ts';
import { HostKeys } from './known-hosts.ts';
import { KnownHostsFiles } from './known-hosts-file.ts';
import type { login } from './login.ts';
import type { SshOptions } from './options.ts';
import { openProxy } from './proxy-command.ts';
import { SshSession } from './session.ts';

export interface SshTransportEnvironment extends SshEnvironment, IdentityEnvironment {
  readonly credentials: CredentialGuard;
  /** Set on the command line: overrides inventory and configuration. */
  readonly hostKeyPolicy?: HostKeyPolicy;
}

/** One route to one host: target, options, and the jump connection it serves. */
interface Way {
  readonly connection: Connection;
  readonly options: SshOptions;
  readonly limits: ConnectionLimits;
  /** The jump connection this one is opened for, to detect loops of jump hosts. */
  readonly via: SharedJump | undefined;
  readonly signal: AbortSignal | undefined;
}

interface Reached {
  readonly stream: Duplex;
  /** Address and route of the connection, resolved as far as fettle resolves it. */
  readonly place: string;
  readonly release: () => Promise<void>;
  readonly complaint: () => Promise<string>;
}

/** A few keep a processor busy on a network of any length; more would make every timer and every key wait for them. */
const handshakesAtOnce = 16;

/** Long enough for sshd to finish the logins in progress. */
const dropPauseMs = 1_000;

const released = async (): Promise<void> => undefined;
const noComplaint = async (): Promise<string> => '';

/** SSH through ssh2, with the settings of OpenSSH's configuration and of the inventory. The inventory wins. */
export class SshTransport implements Transport, AsyncDisposable {
  readonly name = 'ssh';
  readonly #environment: SshTransportEnvironment;
  readonly #configuration: SshConfiguration;
  readonly #identities: Identities;
  readonly #knownHosts = new KnownHostsFiles();
  readonly #handshakes = new Slots(handshakesAtOnce);
  readonly #jumps: JumpConnections;
  #loading: Promise<{ login: typeof login }> | undefined;

  constructor(environment: SshTransportEnvironment) {
    this.#environment = environment;
    this.#identities = new Identities(environment);
    // The client is half of the code of this transport: it is loaded while ssh reads its configuration.
    const onWait = (): void => void this.#client().catch(() => undefined);
    this.#configuration = new SshConfiguration({ ...environment, onWait });
    this.#jumps = new JumpConnections((behind) => this.#connect(behind, undefined));
  }

  async open(host: Host, { signal }: OpenOptions): Promise<Session> {
    if (signal?.aborted) throw cancelled(signal, `the connection to ${host.name}`);
    const opened = await this.#connect({ connection: host.connection, via: undefined }, signal);
    const shell = host.connection.shell ?? 'posix';
    return new SshSession(host.name, { ...opened, shell, credentials: this.#environment.credentials });
  }

  route({ connection }: Host): Promise<readonly string[]> {
    return this.#route(connection, new Set());
  }

  /** A socket, or a proxy command's three pipes; while it logs in an agent's socket too. */
  async descriptors({ connection }: Host): Promise<number> {
    const options = await this.#options(connection);
    return (options.proxyCommand === undefined ? 1 : 3) + (this.#agent(options) === undefined ? 0 : 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#jumps[Symbol.asyncDispose]();
  }

  /** Each jump host by the name that is written and by its address; `visited` ends a circle, which is refused on opening. */
  async #route(connection: Connection, visited: Set<string>): Promise<string[]> {
    const { proxyJump, proxyCommand } = await this.#options(connection);
    if (proxyJump.length === 0) {
      return proxyCommand === undefined ? [] : jumpsOf(['-o', `ProxyCommand=${proxyCommand}`]);
    }
    const jump = jumpConnection(connection, proxyJump);
    if (visited.has(jump.address)) return [];
    visited.add(jump.address);
    const { hostName } = await this.#options(jump);
    return [...new Set([...(await this.#route(jump, visited)), jump.address, hostName])];
  }

  async #options(connection: Connection): Promise<SshOptions> {
    const options = await this.#configuration.options({
      host: connection.address,
      arguments: connection.sshArguments,
      ...(connection.user === undefined ? {} : { user: connection.user }),
      ...(connection.port === undefined ? {} : { port: connection.port }),
    });
    // Lists that leave no algorithm are a configuration error, found before any host is contacted.
    algorithmsFor(options.algorithms, [], options.hostName);
    return options;
  }

  async #connect({ connection, via }: BehindJump, signal: AbortSignal | undefined): Promise<Opened> {
    const options = await this.#options(connection);
    const limits = tighter(connection.limits, options);
    const way: Way = { connection, options, limits, via, signal };
    try {
      return await this.#logInAgain(way);
    } catch (error) {
      throw atAddress(error, options.hostName);
    }
  }

  /** sshd drops some connections while others log in (MaxStartups): each is retried once. */
  async #logInAgain(way: Way): Promise<Opened> {
    const { signal, options } = way;
    try {
      return await this.#logIn(way);
    } catch (error) {
      if (!(error instanceof FettleError) || error.details?.['dropped'] !== true) throw error;
      await sleep(dropPauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
      if (signal?.aborted) throw cancelled(signal, `the connection to ${options.hostName}`);
      return this.#logIn(way);
    }
  }

  async #logIn(way: Way): Promise<Opened> {
    const { connection, options, limits, signal } = way;
    // Local mistakes are reported before the host is contacted.
    const keys = await this.#hostKeys(way);
    const authentication = await this.#authentication(way);
    const policy = this.#environment.hostKeyPolicy ?? hostKeyPolicy(connection, options);
    const { stream, place, release, complaint } = await this.#reach(way);
    let key = '';
    const onHostKey = (blob: Buffer): void => void (key = createHash('sha256').update(blob).digest('hex'));
    try {
      const { hostName: host, user, algorithms } = options;
      const handshakes = this.#handshakes;
      const ours = { keys, policy, onHostKey, authentication, algorithms };
      const asked = { stream, host, user, ...ours, limits, signal, handshakes, complaint };
      const { login: logIn } = await this.#client();
      const client = await logIn(asked);
      const endpoint = `${place} ${key}`;
      const close = (): Promise<void> => closeClient(client, stream).then(release);
      return { client, stream, idleMs: limits.idleMs, endpoint, close };
    } catch (error) {
      await release();
      throw error;
    }
  }

  #client(): Promise<{ login: typeof login }> {
    return (this.#loading ??= import('./login.ts'));
  }

  #hostKeys({ connection, options }: Way): Promise<HostKeys> {
    const query = {
      host: options.hostName,
      port: options.port,
      alias: options.hostKeyAlias,
      userFiles: options.userKnownHosts,
      globalFiles: options.globalKnownHosts,
      isHashed: options.hashesKnownHosts,
      isHeld: this.#environment.hostKeyPolicy === undefined && isHeldToKnownKeys(connection),
      isOfInventory: connection.sshArguments.some((word) => /^(-o)?\s*UserKnownHostsFile|^-F/i.test(word)),
      rules: options.hostKeyRules,
      env: this.#environment.env,
    };
    return HostKeys.read(query, this.#knownHosts);
  }

  #authentication({ connection, options, signal }: Way): Promise<Authentication> {
    const sources = {
      ...options,
      host: options.hostName,
      keyFile: connection.privateKeyFile,
      passphrase: connection.privateKeyPassphrase,
      agent: this.#agent(options),
      password: connection.password,
      rsaBits: options.hostKeyRules.rsaBits,
    };
    const ports = { guard: this.#environment.credentials, identities: this.#identities, signal };
    return Authentication.prepare(sources, ports);
  }

  #agent({ identityAgent }: SshOptions): string | undefined {
    if (identityAgent === 'none') return undefined;
    const { env } = this.#environment;
    if (identityAgent?.startsWith('$') === true) return env[identityAgent.replace(/[${}]/g, '')];
    const isDefault = identityAgent === undefined || identityAgent === 'SSH_AUTH_SOCK';
    const path = isDefault ? env['SSH_AUTH_SOCK'] : identityAgent;
    return path === '' ? undefined : path;
  }

  /** Bytes to the host: direct, through a command, or through jump hosts. */
  async #reach(way: Way): Promise<Reached> {
    const { options, limits, signal, connection, via } = way;
    const { hostName: host, port, proxyCommand, proxyJump, family } = options;
    if (proxyJump.length > 0) {
      const target = { host, port, limitMs: limits.connectMs, signal };
      const jumped = await this.#jumps.through(proxyJump, target, { connection, via });
      return { ...jumped, place: `${proxyJump.join(' ')} ${host}:${port}`, complaint: noComplaint };
    }
    if (proxyCommand !== undefined) {
      const place = `${proxyCommand} ${host}:${port}`;
      const limit = { ms: limits.connectMs, signal, what: `${host} port ${port}` };
      return { ...(await openProxy(proxyCommand, this.#environment.env, limit)), place, release: released };
    }
    const stream = await openSocket({ host, port, family }, { ms: limits.connectMs, signal });
    const place = `${stream.remoteAddress ?? host}:${port}`;
    return { stream, place, release: released, complaint: noComplaint };
  }
}

/** OpenSSH's own limits hold where they are the smaller ones. */
function tighter(limits: ConnectionLimits, { connectMs, idleMs }: SshOptions): ConnectionLimits {
  return {
    ...limits,
    connectMs: Math.min(limits.connectMs, connectMs ?? Infinity),
    idleMs: Math.min(limits.idleMs, idleMs ?? Infinity),
  };
}

/**
 * The inventory first, then OpenSSH. `ask` cannot prompt and means strict; `no` records unknown keys but never
 * accepts a changed one: that must be set explicitly in the inventory.
 */
function hostKeyPolicy(connection: Connection, { strictHostKeyChecking }: SshOptions): HostKeyPolicy {
  const { hostKeyPolicy: own } = connection;
  if (own === 'off' || isHeldToKnownKeys(connection)) return own === 'off' ? own : 'strict';
  if (own !== 'strict') return own;
  return ['accept-new', 'no', 'off', 'false'].includes(strictHostKeyChecking) ? 'accept-new' : 'strict';
}

/**
 * Otherwise a password given on the command line would be sent to any machine that answers at an address of the
 * inventory for the first time.
 */
function isHeldToKnownKeys({ hasOperatorPassword, hostKeyPolicy: own, sshArguments }: Connection): boolean {
  return hasOperatorPassword === true && (own === 'accept-new' || sshArguments.some((word) => word.startsWith('-F')));
}

/** A host that does not answer must not block the end. */
const closeLimitMs = 1_000;

async function closeClient(client: Client, stream: Duplex): Promise<void> {
  if (stream.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, closeLimitMs);
  client.once('close', () => resolve());
  client.end();
  await promise;
  clearTimeout(timer);
  stream.destroy();
}
