// Just enough HTTP/1.1 of a server, on a raw socket, to be able to send every wrong thing.
import type { Socket } from 'node:net';

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** The body was longer than allowed and is not there. */
  readonly isTooLong: boolean;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Buffer;
}

/** How answers go onto the wire. */
export interface WireShape {
  /** Write in pieces of this many bytes, each its own packet; absent = at once. */
  readonly splitBytes?: number;
  /** Transfer-Encoding: chunked, in chunks of this many bytes. */
  readonly chunkBytes?: number;
  /** Trailer fields after the last chunk. */
  readonly hasTrailers?: boolean;
}

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Request Entity Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** What came is no HTTP: it is answered with 400, as http.sys does. */
export class NotHttp extends Error {}

/** The requests of one connection, one after the other; undefined at its end. Throws on what is no HTTP. */
export class RequestReader {
  readonly #bodyLimit: number;
  #arrived: Buffer[] = [];
  #news = Promise.withResolvers<void>();
  #hasEnded = false;
  #pending: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, bodyLimit: number) {
    this.#bodyLimit = bodyLimit;
    // Always read on, or the end of the connection would not be noticed while a request waits for its answer.
    socket.on('data', (bytes: Buffer) => {
      this.#arrived.push(bytes);
      this.#news.resolve();
    });
    socket.on('close', () => {
      this.#hasEnded = true;
      this.#news.resolve();
    });
  }

  async next(): Promise<HttpRequest | undefined> {
    if (this.#pending.length === 0 && !(await this.#more())) return undefined;
    // A method is letters; a TLS handshake begins with 0x16 and may have no line end for long.
    if (!/^[A-Z]/.test(this.#pending.toString('latin1', 0, 1))) throw new NotHttp('that is no HTTP request');
    const head = await this.#until('\r\n\r\n');
    if (head === undefined) return undefined;
    const [first = '', ...lines] = head.toString('latin1').split('\r\n');
    const [method = '', path = '', version = ''] = first.split(' ');
    if (!version.startsWith('HTTP/1.')) throw new Error(`that is no HTTP request: ${first}`);
    const headers = new Map(lines.map(splitHeader));
    const { body, isTooLong } = await this.#body(headers);
    return { method, path, headers, body, isTooLong };
  }

  async #body(headers: ReadonlyMap<string, string>): Promise<{ body: Buffer; isTooLong: boolean }> {
    if (headers.get('transfer-encoding')?.toLowerCase() === 'chunked') return this.#chunks();
    const length = Number(headers.get('content-length') ?? 0);
    // Read all the same, so that the client gets to read the answer.
    const body = await this.#take(length);
    return length > this.#bodyLimit ? { body: Buffer.alloc(0), isTooLong: true } : { body, isTooLong: false };
  }

  async #chunks(): Promise<{ body: Buffer; isTooLong: boolean }> {
    const parts: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt((await this.#until('\r\n'))?.toString('latin1') ?? '', 16);
      if (Number.isNaN(size)) throw new Error('a chunk has no length');
      if (size === 0) break;
      parts.push(await this.#take(size));
      await this.#until('\r\n');
    }
    while (((await this.#until('\r\n'))?.length ?? 0) > 0);
    const body = Buffer.concat(parts);
    return { body, isTooLong: body.length > this.#bodyLimit };
  }

  async #until(mark: string): Promise<Buffer | undefined> {
    for (let at = this.#pending.indexOf(mark); ; at = this.#pending.indexOf(mark)) {
      if (at >= 0) {
        const found = this.#pending.subarray(0, at);
        this.#pending = this.#pending.subarray(at + mark.length);
        return found;
      }
      if (!(await this.#more())) return undefined;
    }
  }

  async #take(length: number): Promise<Buffer> {
    const parts = [this.#pending];
    let have = this.#pending.length;
    while (have < length) {
      this.#pending = Buffer.alloc(0);
      if (!(await this.#more())) throw new Error('the connection ended within a request');
      parts.push(this.#pending);
      have += this.#pending.length;
    }
    const all = Buffer.concat(parts);
    this.#pending = all.subarray(length);
    return all.subarray(0, length);
  }

  async #more(): Promise<boolean> {
    while (this.#arrived.length === 0) {
      if (this.#hasEnded) return false;
      await this.#news.promise;
      this.#news = Promise.withResolvers<void>();
    }
    this.#pending = Buffer.concat([this.#pending, ...this.#arrived]);
    this.#arrived = [];
    return true;
  }
}

/** The bytes of an answer, cut into the pieces that are to be written one by one. */
export function encodeResponse(
  { status, headers = [], body = Buffer.alloc(0) }: HttpResponse,
  shape: WireShape,
): Buffer[] {
  const isChunked = shape.chunkBytes !== undefined && body.length > 0;
  const lines = [
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Unknown'}`,
    'Server: Microsoft-HTTPAPI/2.0',
    `Date: ${new Date().toUTCString()}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`,
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  const bytes = Buffer.concat([head, isChunked ? chunked(body, shape) : body]);
  return shape.splitBytes === undefined ? [bytes] : pieces(bytes, shape.splitBytes);
}

export function pieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

function chunked(body: Buffer, { chunkBytes = body.length, hasTrailers = false }: WireShape): Buffer {
  const end = hasTrailers ? '0\r\nX-Trailer: of no importance\r\nX-Other: 1\r\n\r\n' : '0\r\n\r\n';
  const parts = pieces(body, chunkBytes).flatMap((piece) => [
    Buffer.from(`${piece.length.toString(16)}\r\n`),
    piece,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...parts, Buffer.from(end)]);
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  if (colon < 1) throw new Error(`that is no header: ${line}`);
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
