import type { Socket } from 'node:net';
import { FettleError } from '../../../domain/error.ts';
import { cancelled, whenAborted } from '../../limit.ts';
import { failure, type Endpoint, type Phase } from './endpoint.ts';
import { ResponseReader, type HttpResponse } from './http-response.ts';

export interface HttpRequest {
  readonly path: string;
  /** Value of `Host`. */
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface SendLimits {
  readonly phase: Phase;
  /** Without a byte from the host for this long the connection counts as lost. Milliseconds. */
  readonly readMs: number;
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  readonly reader: ResponseReader;
  readonly resolve: (response: HttpResponse) => void;
  readonly reject: (error: Error) => void;
  readonly phase: Phase;
  readonly timer: NodeJS.Timeout;
  /** Whether bytes came since the time limit was last checked. */
  hasHeard: boolean;
}

/**
 * HTTP/1.1 on exactly one socket, one request at a time. The authentication of a socket lives exactly as long as this
 * object: no request is resent or redirected without the caller. After any error it is closed.
 */
export class HttpConnection implements Disposable {
  readonly #socket: Socket;
  readonly #endpoint: Endpoint;
  #waiting: Waiting | undefined;
  #isOpen: boolean;
  /** Nothing has come on it yet. */
  #isMute = true;
  /** DER of the peer's certificate; undefined without TLS. */
  readonly certificate: Buffer | undefined;

  constructor(socket: Socket, endpoint: Endpoint, certificate: Buffer | undefined) {
    this.#socket = socket;
    this.#endpoint = endpoint;
    this.certificate = certificate;
    this.#isOpen = !socket.destroyed;
    socket.setKeepAlive(true, 30_000);
    socket.on('data', (chunk: Buffer) => this.#hear(chunk));
    socket.on('end', () => this.#end());
    socket.on('error', (cause: Error) => this.#lose(`broke the connection: ${cause.message}`, cause));
    socket.on('close', () => this.#lose('closed the connection'));
  }

  /** False once nothing can be sent on it any more. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** POST, and its response whatever the status. Throws `lost`, `timeout`, `connect` (not HTTP) or the cancellation. */
  async post(request: HttpRequest, { phase, readMs, signal }: SendLimits): Promise<HttpResponse> {
    if (signal?.aborted) throw cancelled(signal, `the request to ${this.#endpoint.hostName}`);
    if (this.#waiting !== undefined) throw new FettleError('internal', 'a request is in progress on this connection');
    if (!this.#isOpen) throw this.#lost(phase, 'closed the connection');
    const bytes = Buffer.concat([head(request), request.body]);
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    const timer = setTimeout(() => this.#doubt(readMs), readMs);
    this.#waiting = { reader: new ResponseReader(), resolve, reject, phase, timer, hasHeard: false };
    using _abort = whenAborted(signal, (aborted) =>
      this.#giveUp(cancelled(aborted, `the request to ${this.#endpoint.hostName}`)),
    );
    try {
      if (this.#isOpen) this.#socket.write(bytes);
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#lose('was closed by fettle');
  }

  #hear(chunk: Buffer): void {
    this.#isMute = false;
    const waiting = this.#waiting;
    // No request is open; further bytes could be mistaken for the answer to a later one.
    if (waiting === undefined) return this.#close();
    waiting.hasHeard = true;
    waiting.timer.refresh();
    try {
      const response = waiting.reader.take(chunk);
      if (response !== undefined) this.#answer(waiting, response);
    } catch (error) {
      this.#giveUp(this.#foreign(waiting.phase, error));
    }
  }

  /** The limit has passed. In a busy process the answer may have arrived nevertheless: it is read before giving up. */
  #doubt(readMs: number): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    waiting.hasHeard = false;
    setImmediate(() => {
      if (this.#waiting === waiting && !waiting.hasHeard) this.#giveUp(this.#silent(waiting.phase, readMs));
    });
  }

  #end(): void {
    const response = this.#waiting?.reader.end();
    if (this.#waiting !== undefined && response !== undefined) this.#answer(this.#waiting, response);
    else this.#lose('closed the connection');
  }

  #answer(waiting: Waiting, response: HttpResponse): void {
    this.#waiting = undefined;
    if (response.isLast) this.#close();
    waiting.resolve(response);
  }

  #lose(why: string, cause?: Error): void {
    const phase = this.#waiting?.phase;
    if (phase === undefined) this.#close();
    else this.#giveUp(this.#lost(phase, why, cause));
  }

  #giveUp(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#close();
    waiting?.reject(error);
  }

  #close(): void {
    this.#isOpen = false;
    this.#socket.destroy();
  }

  #lost(phase: Phase, why: string, cause?: Error): FettleError {
    if (this.#isMute) return this.#neverHeard(phase, why, cause);
    return failure(this.#endpoint, {
      code: 'lost',
      phase,
      what: `${why} before it answered`,
      hint: 'the host or a firewall dropped the connection; check that the host is up',
      cause,
    });
  }

  /** The first request of a connection belongs to the login: nothing was requested yet, so nothing can be running. */
  #neverHeard(phase: Phase, why: string, cause?: Error): FettleError {
    const { scheme, port } = this.#endpoint;
    return failure(this.#endpoint, {
      code: 'connect',
      phase,
      what: `${why} without an answer`,
      hint:
        scheme === 'http'
          ? `the host may be shutting down, or port ${port} may be an https port: then set ansible_winrm_scheme: https`
          : 'the host may be shutting down, or a firewall rejects the connection',
      cause,
    });
  }

  #silent(phase: Phase, ms: number): FettleError {
    return failure(this.#endpoint, {
      code: 'timeout',
      phase,
      what: `sent nothing for ${ms / 1000} s (read limit)`,
      hint: 'the host may hang, or the network drops packets',
    });
  }

  #foreign(phase: Phase, cause: unknown): FettleError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const isTls = reason.endsWith('it is TLS');
    return failure(this.#endpoint, {
      code: 'connect',
      phase,
      what: isTls ? 'speaks TLS where plain http was expected' : `does not answer as WinRM: ${reason}`,
      hint: isTls
        ? 'set ansible_winrm_scheme: https; the usual port is 5986'
        : 'check that the port and the path are those of WinRM',
      cause,
    });
  }
}

function head({ path, host, headers, body }: HttpRequest): Buffer {
  const fields = {
    Host: host,
    'User-Agent': 'fettle',
    'Accept-Encoding': 'identity',
    Connection: 'Keep-Alive',
    ...headers,
    'Content-Length': String(body.length),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  if (lines.some((line) => /[\r\n\0]/.test(line)) || !/^\/[\x21-\x7e]*$/.test(path)) {
    throw new FettleError('config', 'the path or a header of a WinRM request has a blank or a line break');
  }
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
