import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import type { Client, ServerHostKeyAlgorithm } from 'ssh2';
import { FettleError } from '../../domain/error.ts';
import type { ConnectionLimits, HostKeyPolicy } from '../../domain/host.ts';
import type { Authentication } from './auth.ts';
import type { HostKeys } from './known-hosts.ts';

/** TCP with no-delay: Nagle's algorithm costs more than the whole command on a quiet connection. */
export async function openSocket(
  address: string,
  port: number,
  limit: { ms: number; signal: AbortSignal | undefined },
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connectTcp({ host: address, port, noDelay: true });
  const where = `${address} port ${port}`;
  const timer = setTimeout(() => {
    reject(
      new FettleError('timeout', `${where} does not answer within ${limit.ms / 1000} s (connect limit)`, {
        hint: 'is the host on, and does a firewall let us through?',
      }),
    );
  }, limit.ms);
  const onAbort = (): void => reject(limit.signal?.reason as Error);
  limit.signal?.addEventListener('abort', onAbort, { once: true });
  socket.once('connect', () => resolve(socket));
  socket.on('error', (cause: NodeJS.ErrnoException) => reject(connectError(where, cause)));
  try {
    return await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    limit.signal?.removeEventListener('abort', onAbort);
  }
}

function connectError(where: string, cause: NodeJS.ErrnoException): FettleError {
  const words: Readonly<Record<string, readonly [string, string]>> = {
    ECONNREFUSED: ['refuses the connection', 'is sshd running there, on that port?'],
    ENOTFOUND: ['cannot be found by name', 'check the name, or set ansible_host'],
    EAI_AGAIN: ['cannot be looked up now', 'check the name server'],
    EHOSTUNREACH: ['cannot be reached', 'is the host on, and is there a route?'],
    ENETUNREACH: ['cannot be reached', 'is there a route to that network?'],
    ECONNRESET: ['reset the connection', 'a firewall or TCP wrapper may be in between'],
  };
  const [what, hint] = words[cause.code ?? ''] ?? [`cannot be reached: ${cause.message}`, 'check address and network'];
  return new FettleError('connect', `${where} ${what}`, { hint, cause });
}

export interface SshConnect {
  /** Bytes to sshd: a socket of ours, or a channel through a jump host. */
  readonly stream: Duplex;
  readonly host: string;
  readonly user: string;
  readonly keys: HostKeys;
  readonly policy: HostKeyPolicy;
  readonly authentication: Authentication;
  readonly limits: ConnectionLimits;
  readonly signal: AbortSignal | undefined;
}

const hostKeyAlgorithms: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
];

/** Known types first, as OpenSSH orders them; `ssh-rsa` in known_hosts is every RSA signature. */
function orderedAlgorithms(known: readonly string[]): ServerHostKeyAlgorithm[] {
  const isKnown = (name: string): boolean =>
    known.includes(name) || (known.includes('ssh-rsa') && name.startsWith('rsa-'));
  return [...hostKeyAlgorithms.filter(isKnown), ...hostKeyAlgorithms.filter((name) => !isKnown(name))];
}

/** Handshake and authentication, each under its own limit. ssh2 itself has one limit and one message for both. */
export async function connectSsh(request: SshConnect): Promise<Client> {
  const { host, limits, signal, authentication } = request;
  const client = new ssh2.Client();
  const { promise, resolve, reject } = Promise.withResolvers<Client>();
  let refusal: FettleError | undefined;
  let stage: 'handshake' | 'authentication' = 'handshake';
  const limitStage = (ms: number): NodeJS.Timeout =>
    setTimeout(() => {
      const hint =
        stage === 'handshake'
          ? 'something listens there, but it does not speak SSH'
          : 'PAM or a directory behind the host may hang';
      reject(
        new FettleError('timeout', `${host} did not finish the ${stage} within ${ms / 1000} s (${stage} limit)`, {
          hint,
        }),
      );
    }, ms);
  let timer = limitStage(limits.handshakeMs);
  const onAbort = (): void => reject(signal?.reason as Error);
  signal?.addEventListener('abort', onAbort, { once: true });
  client.on('handshake', () => {
    clearTimeout(timer);
    stage = 'authentication';
    timer = limitStage(limits.authMs);
  });
  client.on('ready', () => resolve(client));
  client.on('error', (cause) => reject(refusal ?? stageError(request, stage, cause)));
  client.on('close', () =>
    reject(refusal ?? new FettleError('connect', `${host} closed the connection during the ${stage}`)),
  );
  client.connect({
    sock: request.stream,
    username: request.user,
    readyTimeout: 0,
    keepaliveInterval: Math.max(1_000, Math.floor(limits.idleMs / 3)),
    keepaliveCountMax: 3,
    algorithms: { serverHostKey: orderedAlgorithms(request.keys.types) },
    authHandler: authentication.handler,
    hostVerifier: (key: Buffer, verify: (isTrusted: boolean) => void) => {
      request.keys.check(key, request.policy).then(
        () => verify(true),
        (error: unknown) => {
          refusal = error instanceof FettleError ? error : new FettleError('host-key', String(error));
          verify(false);
        },
      );
    },
  });
  try {
    const ready = await promise;
    authentication.accepted();
    return ready;
  } catch (error) {
    client.on('error', () => undefined);
    client.destroy();
    request.stream.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function stageError(request: SshConnect, stage: string, cause: Error): FettleError {
  const level = 'level' in cause ? cause.level : undefined;
  if (level === 'client-authentication') return request.authentication.failure(cause);
  if (stage === 'authentication') {
    const message = `${request.host} ended the authentication: ${cause.message}`;
    return new FettleError('auth', message, { hint: 'look at the log of sshd there', cause });
  }
  return new FettleError('connect', `the SSH handshake with ${request.host} failed: ${cause.message}`, {
    hint: 'is it sshd that listens there, and does it still share an algorithm with us?',
    cause,
  });
}
