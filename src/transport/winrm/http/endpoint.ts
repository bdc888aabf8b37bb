import { FettleError, type ErrorCode } from '../../../domain/error.ts';

/** Where one host's WinRM service listens, and the name shown to users. */
export interface Endpoint {
  /** The inventory name. */
  readonly hostName: string;
  readonly address: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
  /** Begins with a slash; `/wsman` unless a proxy has it elsewhere. */
  readonly path: string;
}

/** The phase in which something failed; named in every error of this transport. */
export type Phase =
  | 'dns'
  | 'tcp'
  | 'tls'
  | 'auth'
  | 'identify'
  | 'create'
  | 'command'
  | 'send'
  | 'receive'
  | 'signal'
  | 'delete'
  | 'query';

export interface Failure {
  readonly code: ErrorCode;
  readonly phase: Phase;
  /** Follows `<host> port <port> `. */
  readonly what: string;
  readonly hint: string;
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** One form for everything that fails here: host, port and phase are in the message and in the details. */
export function failure(endpoint: Endpoint, { code, phase, what, hint, cause, details }: Failure): FettleError {
  const { hostName, address, port } = endpoint;
  const name = hostName === address ? hostName : `${hostName} (${address})`;
  return new FettleError(code, `${name} port ${port} ${what} (${phase})`, {
    hint,
    cause,
    details: { host: hostName, port, phase, ...details },
  });
}

/** The URL that `a:To` names; an IPv6 address stands in brackets. */
export function endpointUrl({ scheme, address, port, path }: Endpoint): string {
  return `${scheme}://${authority(address)}:${port}${path}`;
}

/** RFC 3986 3.2.2; a zone is no part of what goes over the wire. */
export function authority(address: string): string {
  return address.includes(':') ? `[${address.split('%', 1)[0]}]` : address;
}
