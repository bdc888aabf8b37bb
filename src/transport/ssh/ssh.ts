import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { FettleError } from '../../domain/error.ts';
import type { Connection, Host, HostKeyPolicy } from '../../domain/host.ts';
import type { OpenOptions, Session, Transport } from '../session.ts';
import { Authentication } from './auth.ts';
import { connectSsh, openSocket } from './connect.ts';
import { CredentialGuard } from './credential-guard.ts';
import { HostKeys, knownName } from './known-hosts.ts';
import { SshConfiguration, type SshOptions } from './options.ts';
import { SshSession } from './session.ts';

export interface SshTransportEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  readonly userName: string;
}

interface Opened {
  readonly client: Client;
  readonly close: () => Promise<void>;
}

/** A jump host that others are reached through; closed with the last of them. */
interface SharedJump {
  readonly opened: Promise<Opened>;
  users: number;
}

/** SSH through ssh2, set up as OpenSSH's configuration and the inventory say. The inventory wins. */
export class SshTransport implements Transport, AsyncDisposable {
  readonly name = 'ssh';
  readonly #environment: SshTransportEnvironment;
  readonly #configuration: SshConfiguration;
  readonly #guard = new CredentialGuard();
  readonly #jumps = new Map<string, SharedJump>();

  constructor(environment: SshTransportEnvironment) {
    this.#environment = environment;
    this.#configuration = new SshConfiguration(environment);
  }

  async open(host: Host, { signal }: OpenOptions): Promise<Session> {
    const opened = await this.#connect(host.connection, signal);
    return new SshSession(host.name, opened.client, opened.close);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const jumps = [...this.#jumps.values()];
    this.#jumps.clear();
    await Promise.all(jumps.map(async ({ opened }) => opened.then(({ close }) => close()).catch(() => undefined)));
  }

  async #connect(connection: Connection, signal: AbortSignal | undefined): Promise<Opened> {
    const options = await this.#configuration.options({
      host: connection.address,
      arguments: connection.sshArguments,
      ...(connection.user === undefined ? {} : { user: connection.user }),
      ...(connection.port === undefined ? {} : { port: connection.port }),
    });
    const through = await this.#reach(connection, options, signal);
    try {
      const client = await this.#login(connection, options, through.stream, signal);
      return { client, close: async () => closeClient(client).then(through.release) };
    } catch (error) {
      await through.release();
      throw error;
    }
  }

  async #login(
    connection: Connection,
    options: SshOptions,
    stream: Duplex,
    signal: AbortSignal | undefined,
  ): Promise<Client> {
    const user = options.user;
    const name = options.hostKeyAlias ?? knownName(options.hostName, options.port);
    const keys = await HostKeys.read(name, { user: options.userKnownHosts, global: options.globalKnownHosts });
    const authentication = await Authentication.prepare(
      {
        host: options.hostName,
        user,
        keyFile: connection.privateKeyFile,
        passphrase: connection.privateKeyPassphrase,
        identityFiles: options.identityFiles,
        agent: this.#agent(options),
        password: connection.password,
      },
      this.#guard,
    );
    const policy = hostKeyPolicy(connection, options);
    const { limits } = connection;
    return connectSsh({ stream, host: options.hostName, user, keys, policy, authentication, limits, signal });
  }

  #agent(options: SshOptions): string | undefined {
    const socket = options.identityAgent;
    if (socket === 'none' || options.identitiesOnly) return undefined;
    const path = socket === undefined || socket === 'SSH_AUTH_SOCK' ? this.#environment.env['SSH_AUTH_SOCK'] : socket;
    return path === '' ? undefined : path;
  }

  /** Bytes to the host: direct, through a command, or through jump hosts. */
  async #reach(
    connection: Connection,
    options: SshOptions,
    signal: AbortSignal | undefined,
  ): Promise<{ stream: Duplex; release: () => Promise<void> }> {
    const { hostName, port, proxyCommand, proxyJump } = options;
    if (proxyJump.length > 0) return this.#throughJumps(connection, options, signal);
    if (proxyCommand !== undefined)
      return { stream: proxyStream(proxyCommand, options), release: async () => undefined };
    const stream = await openSocket(hostName, port, { ms: connection.limits.connectMs, signal });
    return { stream, release: async () => undefined };
  }

  async #throughJumps(
    connection: Connection,
    options: SshOptions,
    signal: AbortSignal | undefined,
  ): Promise<{ stream: Duplex; release: () => Promise<void> }> {
    const chain = options.proxyJump.join(',');
    const key = JSON.stringify([chain, connection.privateKeyFile, connection.hostKeyPolicy]);
    let jump = this.#jumps.get(key);
    if (jump === undefined) {
      jump = { opened: this.#connect(jumpConnection(connection, options.proxyJump), undefined), users: 0 };
      this.#jumps.set(key, jump);
    }
    const shared = jump;
    shared.users += 1;
    const release = async (): Promise<void> => {
      shared.users -= 1;
      if (shared.users > 0 || this.#jumps.get(key) !== shared) return;
      this.#jumps.delete(key);
      await shared.opened.then(({ close }) => close()).catch(() => undefined);
    };
    try {
      const { client } = await shared.opened;
      client.once('close', () => {
        if (this.#jumps.get(key) === shared) this.#jumps.delete(key);
      });
      return { stream: await forward(client, options, chain, signal), release };
    } catch (error) {
      await release();
      throw viaJump(error, chain);
    }
  }
}

/** The last hop of the chain, itself reached through the ones before it. Options of the host are not the jump's. */
function jumpConnection(connection: Connection, hops: readonly string[]): Connection {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(hops.at(-1) ?? '');
  const [, user, address = '', port] = match ?? [];
  const before = hops.slice(0, -1);
  const config = connection.sshArguments.findIndex((word) => word.startsWith('-F'));
  const file =
    config < 0
      ? []
      : connection.sshArguments.slice(config, config + (connection.sshArguments[config] === '-F' ? 2 : 1));
  return {
    transport: 'ssh',
    address: address.replace(/^\[|\]$/g, ''),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user }),
    ...(connection.privateKeyFile === undefined ? {} : { privateKeyFile: connection.privateKeyFile }),
    ...(connection.privateKeyPassphrase === undefined ? {} : { privateKeyPassphrase: connection.privateKeyPassphrase }),
    sshArguments: before.length === 0 ? file : [...file, '-J', before.join(',')],
    hostKeyPolicy: connection.hostKeyPolicy,
    limits: connection.limits,
  };
}

async function forward(
  client: Client,
  options: SshOptions,
  chain: string,
  signal: AbortSignal | undefined,
): Promise<Duplex> {
  const { hostName, port } = options;
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const onClose = (): void => reject(new FettleError('lost', `the connection to the jump host ${chain} is lost`));
  client.once('close', onClose);
  client.forwardOut('127.0.0.1', 0, hostName, port, (cause, channel) => {
    if (cause === undefined || cause === null) resolve(channel);
    else
      reject(new FettleError('connect', `${chain} cannot reach ${hostName} port ${port}: ${cause.message}`, { cause }));
  });
  try {
    return await promise;
  } finally {
    client.off('close', onClose);
  }
}

function viaJump(error: unknown, chain: string): unknown {
  if (!(error instanceof FettleError) || error.message.includes(chain)) return error;
  const code = error.code;
  return new FettleError(code, `jump host ${chain}: ${error.message}`, {
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}

/** ssh_config(5) ProxyCommand: run by the shell, its input and output are the connection. */
function proxyStream(command: string, options: SshOptions): Duplex {
  const expanded = command
    .replaceAll('%h', options.hostName)
    .replaceAll('%p', String(options.port))
    .replaceAll('%r', options.user)
    .replaceAll('%%', '%');
  const child = spawn('sh', ['-c', `exec ${expanded}`], { stdio: ['pipe', 'pipe', 'ignore'] });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.on('error', (error) => stream.destroy(error));
  stream.on('close', () => child.kill());
  return stream;
}

/** The inventory's word first, then OpenSSH's; `ask` cannot be asked and means strict. */
function hostKeyPolicy(connection: Connection, options: SshOptions): HostKeyPolicy {
  if (connection.hostKeyPolicy !== 'strict') return connection.hostKeyPolicy;
  return options.strictHostKeyChecking === 'accept-new' ? 'accept-new' : 'strict';
}

async function closeClient(client: Client): Promise<void> {
  await new Promise<void>((resolve) => {
    // A host that does not answer must not hold us.
    const timer = setTimeout(() => {
      client.destroy();
      resolve();
    }, 1_000);
    client.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    client.end();
  });
}
