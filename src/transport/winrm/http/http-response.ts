// HTTP/1.1 responses, RFC 9112, read from a socket piece by piece.
import { FettleError } from '../../../domain/error.ts';

export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: Buffer;
  /** The peer ends the connection after this one. */
  readonly isLast: boolean;
}

const maxHeadBytes = 32 * 1024;
const maxHeaders = 100;
const maxLineBytes = 4 * 1024;
/** Of everything that is no body: sizes of chunks, trailers, interim responses. Bounds the number of chunks too. */
const maxOverheadBytes = 512 * 1024;
/** Envelopes are 150 KB; a service with raised limits may send more, never this much. */
const maxBodyBytes = 8 * 1024 * 1024;
const noBody = [204, 304];
const nothing = Buffer.alloc(0);

/** Header fields of one response; names are case-insensitive. */
class HttpHeaders {
  readonly #fields: readonly (readonly [name: string, value: string])[];

  constructor(fields: readonly (readonly [name: string, value: string])[]) {
    this.#fields = fields;
  }

  all(name: string): readonly string[] {
    return this.#fields.filter(([known]) => known === name).map(([, value]) => value);
  }

  first(name: string): string | undefined {
    return this.all(name)[0];
  }
}

interface Head {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly isLast: boolean;
}

type Part = 'head' | 'sized' | 'until-close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'done';

/** Reads one response. Every length is checked against a cap before it is used. Throws `parse`. */
export class ResponseReader {
  #part: Part = 'head';
  #rest: Buffer = nothing;
  #head: Head | undefined;
  readonly #pieces: Buffer[] = [];
  #bodyBytes = 0;
  /** Still to come of the sized body or of the chunk. */
  #left = 0;
  #overheadBytes = 0;

  /**
   * The response once it is complete. Bytes after its end belong to no request: the connection must not be used
   * again.
   */
  take(chunk: Buffer): HttpResponse | undefined {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#part !== 'done' && this.#advance());
    return this.#part === 'done' ? this.#response() : undefined;
  }

  /** The peer ended its side: the end of a body without a length, or too early. */
  end(): HttpResponse | undefined {
    return this.#part === 'until-close' ? this.#response() : undefined;
  }

  /** Takes one step; false when more bytes are needed. */
  #advance(): boolean {
    switch (this.#part) {
      case 'head':
        return this.#readHead();
      case 'chunk-size':
        return this.#readChunkSize();
      case 'chunk-end':
        return this.#readChunkEnd();
      case 'trailer':
        return this.#readTrailer();
      case 'done':
        return false;
      default:
        return this.#readBody();
    }
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end > maxHeadBytes || (end < 0 && this.#rest.length > maxHeadBytes)) throw malformed('its head is too long');
    if (end < 0) {
      refuseForeign(this.#rest);
      return false;
    }
    const head = parseHead(this.#cut(end, 4));
    // Interim responses announce the one that counts.
    if (head.status < 200) return true;
    this.#head = head;
    this.#part = this.#bodyForm(head);
    return true;
  }

  #bodyForm({ status, headers }: Head): Part {
    const codings = headers.all('transfer-encoding').join(',').toLowerCase();
    const lengths = new Set(
      headers.all('content-length').flatMap((value) => value.split(',').map((item) => item.trim())),
    );
    if (codings !== '') {
      if (codings.trim() !== 'chunked' || lengths.size > 0) throw malformed('its transfer coding is not supported');
      return 'chunk-size';
    }
    if (lengths.size > 1) throw malformed('it has more than one length');
    if (noBody.includes(status)) return 'done';
    const [length] = lengths;
    if (length === undefined) return 'until-close';
    if (!/^\d{1,10}$/.test(length)) throw malformed('its length is not a number');
    this.#left = Number(length);
    if (this.#left > maxBodyBytes) throw malformed('its body is too long');
    return this.#left === 0 ? 'done' : 'sized';
  }

  #readBody(): boolean {
    const taken = this.#part === 'until-close' ? this.#rest : this.#rest.subarray(0, this.#left);
    this.#rest = this.#rest.subarray(taken.length);
    this.#left -= taken.length;
    this.#bodyBytes += taken.length;
    if (this.#bodyBytes > maxBodyBytes) throw malformed('its body is too long');
    if (taken.length > 0) this.#pieces.push(taken);
    if (this.#part === 'until-close' || this.#left > 0) return false;
    this.#part = this.#part === 'chunk' ? 'chunk-end' : 'done';
    return true;
  }

  #readChunkSize(): boolean {
    const line = this.#line();
    if (line === undefined) return false;
    const [, digits] = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(line) ?? [];
    if (digits === undefined) throw malformed('the size of a chunk is not a number');
    this.#left = Number.parseInt(digits, 16);
    if (this.#bodyBytes + this.#left > maxBodyBytes) throw malformed('its body is too long');
    this.#part = this.#left === 0 ? 'trailer' : 'chunk';
    return true;
  }

  #readChunkEnd(): boolean {
    if (this.#rest.length < 2) return false;
    if (this.#rest[0] !== 13 || this.#rest[1] !== 10) throw malformed('a chunk is longer than declared');
    this.#cut(0, 2);
    this.#part = 'chunk-size';
    return true;
  }

  #readTrailer(): boolean {
    const line = this.#line();
    if (line === undefined) return false;
    if (line === '') this.#part = 'done';
    return true;
  }

  #line(): string | undefined {
    const end = this.#rest.indexOf('\r\n');
    if (end > maxLineBytes || (end < 0 && this.#rest.length > maxLineBytes)) throw malformed('a line is too long');
    if (end < 0) return undefined;
    return this.#cut(end, 2);
  }

  /** The text up to `end`; it and the mark after it are gone from the rest. */
  #cut(end: number, markBytes: number): string {
    const text = this.#rest.toString('latin1', 0, end);
    this.#rest = this.#rest.subarray(end + markBytes);
    this.#overheadBytes += end + markBytes;
    if (this.#overheadBytes > maxOverheadBytes) throw malformed('its framing is larger than its body');
    return text;
  }

  #response(): HttpResponse | undefined {
    if (this.#head === undefined) return undefined;
    const { status, headers } = this.#head;
    const isLast = this.#head.isLast || this.#part === 'until-close' || this.#rest.length > 0;
    return { status, headers, isLast, body: Buffer.concat(this.#pieces) };
  }
}

function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const [, minor, status] = /^HTTP\/1\.([01]) (\d{3})(?: .*)?$/.exec(first) ?? [];
  if (minor === undefined || status === undefined) throw malformed('it does not start like one');
  if (lines.length > maxHeaders) throw malformed('it has too many header fields');
  const headers = new HttpHeaders(lines.map(parseField));
  const connection = headers.all('connection').join(',').toLowerCase();
  const isLast = connection.includes('close') || (minor === '0' && !connection.includes('keep-alive'));
  return { status: Number(status), headers, isLast };
}

function parseField(line: string): readonly [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined || value.includes('\0')) throw malformed('a header field is malformed');
  return [name.toLowerCase(), value.trim()];
}

/** A peer that does not speak HTTP is detected at its first bytes, not after a time-out. */
function refuseForeign(bytes: Buffer): void {
  const start = Buffer.from('HTTP/1.').subarray(0, bytes.length);
  if (bytes.subarray(0, start.length).equals(start)) return;
  // A TLS record: an alert (21) or a handshake (22), then version 3.x. RFC 8446 5.1.
  const isTls = (bytes[0] === 21 || bytes[0] === 22) && (bytes[1] === 3 || bytes.length === 1);
  throw malformed(isTls ? 'it is TLS' : 'it does not start like one');
}

function malformed(why: string): FettleError {
  return new FettleError('parse', `the HTTP response cannot be read: ${why}`);
}
