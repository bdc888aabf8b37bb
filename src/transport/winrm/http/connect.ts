import { connect as connectTcp, type Socket } from 'node:net';
import { cancelled, whenAborted } from '../../limit.ts';
import { throughShortages } from '../../shortage.ts';
import { failure, type Endpoint } from './endpoint.ts';

export interface ConnectLimit {
  readonly ms: number;
  readonly signal: AbortSignal | undefined;
}

/** A TCP connection with no-delay, tried again while this machine runs short. Errors are of the phases `dns` and `tcp`. */
export function openSocket(endpoint: Endpoint, { ms, signal }: ConnectLimit): Promise<Socket> {
  return throughShortages(() => openOnce(endpoint, { ms, signal }), { ms, signal, what: endpoint.hostName });
}

async function openOnce(endpoint: Endpoint, limit: ConnectLimit): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const { address: host, port, hostName } = endpoint;
  using _abort = whenAborted(limit.signal, (signal) => reject(cancelled(signal, `the connection to ${hostName}`)));
  const socket = connectTcp({ host, port, noDelay: true });
  const timer = setTimeout(() => {
    const what = `did not answer within ${limit.ms / 1000} s (connect limit)`;
    reject(failure(endpoint, { code: 'timeout', phase: 'tcp', what, hint: unreachable }));
  }, limit.ms);
  const onError = (cause: NodeJS.ErrnoException): void => reject(connectError(endpoint, cause));
  socket.once('connect', () => resolve(socket));
  // Stays on: an error after the abort must not end the process.
  socket.on('error', onError);
  try {
    return await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const unreachable = 'is the host up, and does a firewall allow the connection?';

const words: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ECONNREFUSED: [
    'refuses the connection',
    'is WinRM running on the host (winrm quickconfig), with a listener on that port?',
  ],
  ENOTFOUND: ['cannot be resolved', 'check the name, or set ansible_host'],
  EAI_AGAIN: ['cannot be resolved at the moment', 'check the name server'],
  EHOSTUNREACH: ['cannot be reached', 'is the host up, and is there a route to it?'],
  ENETUNREACH: ['cannot be reached', 'is there a route to that network?'],
  ETIMEDOUT: ['does not answer', unreachable],
  ECONNRESET: ['reset the connection', 'a firewall may have rejected it'],
};

function connectError(endpoint: Endpoint, cause: NodeJS.ErrnoException): Error {
  const code = cause.code ?? '';
  const [what, hint] = words[code] ?? [`cannot be reached: ${cause.message}`, 'check address and network'];
  const phase = code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'dns' : 'tcp';
  return failure(endpoint, { code: 'connect', phase, what, hint, cause, details: { code } });
}
