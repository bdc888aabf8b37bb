import { connect as connectTcp, type Socket } from 'node:net';
import { FettleError } from '../../domain/error.ts';
import { cancelled, whenAborted } from '../limit.ts';
import { isShortage, throughShortages } from '../shortage.ts';

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
  /** 4 or 6; 0 = whatever the name has. */
  readonly family: 0 | 4 | 6;
}

export interface ConnectLimit {
  readonly ms: number;
  readonly signal: AbortSignal | undefined;
}

/** TCP, retried while this machine itself is short of a resource. */
export function openSocket(address: SocketAddress, { ms, signal }: ConnectLimit): Promise<Socket> {
  const what = `${address.host} port ${address.port}`;
  return throughShortages(() => openOnce(address, { ms, signal }), { ms, signal, what });
}

/** No-delay: Nagle's algorithm costs more than the whole command on a quiet connection. */
async function openOnce({ host, port, family }: SocketAddress, limit: ConnectLimit): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const where = `${host} port ${port}`;
  using _abort = whenAborted(limit.signal, (signal) => reject(cancelled(signal, `the connection to ${where}`)));
  const socket = connectTcp({ host, port, family, noDelay: true });
  const timer = setTimeout(() => reject(connectTimeout(where, limit.ms)), limit.ms);
  socket.once('connect', () => resolve(socket));
  socket.on('error', (cause: NodeJS.ErrnoException) => reject(isShortage(cause) ? cause : connectError(where, cause)));
  try {
    return gatherWrites(await promise);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

type OnWritten = (error?: Error | null) => void;

/**
 * Everything written within one turn of the event loop is sent together: ssh2 writes each packet in three pieces, and
 * with no-delay each would be a system call and a segment of its own. `connect` of net.Socket puts its own `write`
 * back, so no subclass can do it.
 */
function gatherWrites(socket: Socket): Socket {
  let isGathering = false;
  const write = socket.write.bind(socket);
  const release = (): void => {
    isGathering = false;
    socket.uncork();
  };
  socket.write = (
    chunk: Uint8Array | string,
    encoding?: BufferEncoding | OnWritten,
    onWritten?: OnWritten,
  ): boolean => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      queueMicrotask(release);
    }
    return typeof encoding === 'function' ? write(chunk, encoding) : write(chunk, encoding, onWritten);
  };
  return socket;
}

export function connectTimeout(where: string, ms: number): FettleError {
  return new FettleError('timeout', `${where} did not answer within ${ms / 1000} s (connect limit)`, {
    hint: 'is the host up, and does a firewall allow the connection?',
  });
}

const words: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ECONNREFUSED: ['refuses the connection', 'is sshd running on the host, on that port?'],
  ENOTFOUND: ['cannot be resolved', 'check the name, or set ansible_host'],
  EHOSTUNREACH: ['cannot be reached', 'is the host up, and is there a route to it?'],
  ENETUNREACH: ['cannot be reached', 'is there a route to that network?'],
  ETIMEDOUT: ['does not answer', 'is the host up, and does a firewall allow the connection?'],
  ECONNRESET: ['reset the connection', 'a firewall or TCP wrappers may have rejected it'],
};

function connectError(where: string, cause: NodeJS.ErrnoException): FettleError {
  const known = words[cause.code ?? ''];
  const [what, hint] = known ?? [`cannot be reached: ${cause.message}`, 'check address and network'];
  return new FettleError('connect', `${where} ${what}`, { hint, details: { code: cause.code ?? null }, cause });
}
