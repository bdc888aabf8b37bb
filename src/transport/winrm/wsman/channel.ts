import { FettleError } from '../../../domain/error.ts';
import { cancelled } from '../../limit.ts';
import { authority, failure, type Endpoint, type Phase } from '../http/endpoint.ts';
import type { HttpConnection } from '../http/http.ts';
import type { HttpResponse } from '../http/http-response.ts';
import type { Authorization } from '../auth/login.ts';
import type { SecurityContext } from '../auth/security-context.ts';
import { statusFailure } from '../http/status.ts';
import { isSealed, sealBody, unsealBody } from '../auth/token-framing.ts';
import { Turns } from './mutex.ts';

export interface ChannelPorts {
  readonly endpoint: Endpoint;
  /** A new socket each time, with its certificate checked. */
  readonly open: (signal: AbortSignal | undefined) => Promise<HttpConnection>;
  readonly login: (connection: HttpConnection, signal: AbortSignal | undefined) => Promise<Authorization>;
  /** Messages are sealed; an answer in clear text is then rejected. Without it the connection must be TLS. */
  readonly isSealing: boolean;
  /** Monotonic milliseconds. */
  readonly elapsedMs: () => number;
  readonly readMs: number;
}

export interface PostOptions {
  readonly phase: Phase;
  readonly signal?: AbortSignal | undefined;
}

interface Link {
  readonly connection: HttpConnection;
  readonly authorization: Authorization;
}

interface SealedAnswer {
  readonly body: Buffer;
  readonly phase: Phase;
}

/** HTTP.sys ends a quiet connection after 120 s; one that was quiet for half of that is not reused. */
const idleMs = 60_000;
const soapType = 'application/soap+xml;charset=UTF-8';

/**
 * SOAP to one host: one socket, one login on it, one message at a time. A new socket needs a new login, and the
 * message is sealed again from its text. A refusal is final: no further password is tried on this host.
 */
export class WsmanChannel implements Disposable {
  readonly #ports: ChannelPorts;
  readonly #turns = new Turns();
  #link: Link | undefined;
  #usedAt = 0;
  #refused: FettleError | undefined;
  #isClosed = false;

  constructor(ports: ChannelPorts) {
    this.#ports = ports;
  }

  /** Connects and logs in, if not done yet. */
  async connect(signal: AbortSignal | undefined): Promise<void> {
    using _turn = await this.#turns.take(signal, this.#what);
    await this.#ready(signal);
  }

  /**
   * Sends one envelope and gives the text of the one that came back, fault or not. Nothing is sent twice but after a 401:
   * then it was not processed. Errors of the connection are `lost`, `timeout` or `connect` and leave the channel usable.
   */
  async post(xml: string, { phase, signal }: PostOptions): Promise<string> {
    using _turn = await this.#turns.take(signal, this.#what);
    if (signal?.aborted) throw cancelled(signal, this.#what);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const link = await this.#ready(signal);
      try {
        const response = await this.#send(link, xml, { phase, signal });
        if (response.status !== 401) return this.#read(link, response, phase);
        this.#drop();
      } catch (error) {
        this.#drop();
        throw error;
      }
    }
    this.#refused = failure(this.#ports.endpoint, {
      code: 'auth',
      phase,
      what: 'keeps refusing requests after it accepted the login',
      hint: 'the account may lack the right to use WinRM there (Remote Management Users, Administrators)',
    });
    throw this.#refused;
  }

  /** The next message goes over a new connection. */
  reset(): void {
    this.#drop();
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#drop();
  }

  get #what(): string {
    return `the request to ${this.#ports.endpoint.hostName}`;
  }

  async #ready(signal: AbortSignal | undefined): Promise<Link> {
    if (this.#refused !== undefined) throw this.#refused;
    if (this.#isClosed) throw new FettleError('lost', `the connection to ${this.#ports.endpoint.hostName} was closed`);
    const isFresh = this.#ports.elapsedMs() - this.#usedAt < idleMs;
    if (this.#link?.connection.isOpen === true && isFresh) return this.#link;
    this.#drop();
    const connection = await this.#ports.open(signal);
    try {
      const authorization = await this.#ports.login(connection, signal);
      this.#link = { connection, authorization };
    } catch (error) {
      connection[Symbol.dispose]();
      if (error instanceof FettleError && (error.code === 'auth' || error.code === 'host-key')) this.#refused = error;
      throw error;
    }
    if (this.#isClosed) this.#drop();
    this.#usedAt = this.#ports.elapsedMs();
    return this.#link ?? this.#ready(signal);
  }

  async #send({ connection, authorization }: Link, xml: string, options: PostOptions): Promise<HttpResponse> {
    const { endpoint, isSealing, readMs } = this.#ports;
    const { context, headers } = authorization;
    const plain = Buffer.from(xml, 'utf8');
    if (!isSealing && endpoint.scheme !== 'https')
      throw new FettleError('internal', 'a message in clear text outside of TLS');
    if (isSealing && context === undefined) throw new FettleError('internal', 'nothing to seal a message with');
    const sealed = isSealing && context !== undefined ? sealBody(context, plain) : undefined;
    const request = {
      path: endpoint.path,
      host: `${authority(endpoint.address)}:${endpoint.port}`,
      headers: { ...headers, 'Content-Type': sealed?.contentType ?? soapType },
      body: sealed?.body ?? plain,
    };
    const response = await connection.post(request, { ...options, readMs });
    this.#usedAt = this.#ports.elapsedMs();
    return response;
  }

  #read({ authorization }: Link, { status, headers, body }: HttpResponse, phase: Phase): string {
    const { endpoint, isSealing } = this.#ports;
    const type = headers.first('content-type') ?? '';
    if (authorization.context !== undefined && isSealed(type)) {
      return decoded(this.#unsealed(authorization.context, type, { body, phase }));
    }
    if (isSealing && status < 300) {
      const what = 'answered a sealed request in clear text';
      const hint = 'a machine between fettle and the host may be impersonating it; the answer was discarded';
      throw failure(endpoint, { code: 'auth', phase, what, hint });
    }
    const isSoap = /^(application\/soap\+xml|text\/xml)\b/i.test(type) && body.length > 0;
    if (isSealing || !isSoap) throw statusFailure(endpoint, phase, status);
    return decoded(body);
  }

  #unsealed(context: SecurityContext, type: string, { body, phase }: SealedAnswer): Buffer {
    try {
      return unsealBody(context, type, body);
    } catch (cause) {
      const what = `sent an answer whose seal is broken: ${cause instanceof Error ? cause.message : String(cause)}`;
      const hint = 'a proxy alters the messages, or the connection is out of sync; try again';
      throw failure(this.#ports.endpoint, { code: 'lost', phase, what, hint, cause });
    }
  }

  #drop(): void {
    this.#link?.authorization.context?.[Symbol.dispose]();
    this.#link?.connection[Symbol.dispose]();
    this.#link = undefined;
  }
}

/** Usually UTF-8; UTF-16 is recognised by its byte order mark. */
function decoded(body: Buffer): string {
  const isUtf16 = body[0] === 0xff && body[1] === 0xfe;
  return body.toString(isUtf16 ? 'utf16le' : 'utf8');
}
