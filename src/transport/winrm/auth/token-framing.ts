// Sealed messages in HTTP bodies, [MS-WSMV] 2.2.9.1: `multipart/encrypted` of two parts, neither of them quite MIME.
import { FettleError } from '../../../domain/error.ts';
import type { SealedMessage, SecurityContext } from './security-context.ts';

export interface FramedMessage extends SealedMessage {
  /** Of the plain text, as declared; bytes. */
  readonly length: number;
}

const usualBoundary = 'Encrypted Boundary';
const soapType = 'application/soap+xml;charset=UTF-8';
/** Longest line of a part's headers, and most of them. */
const maxLine = 1024;
const maxLines = 8;
/** Signatures have 16 bytes with NTLM, up to 72 with Kerberos. */
const maxSignature = 1024;

/** Whether a content type is that of a sealed body. */
export function isSealed(contentType: string): boolean {
  return /^\s*multipart\/encrypted\s*(;|$)/i.test(contentType);
}

/** Seals one SOAP message; what it gives goes out on the context's own socket, next and once. */
export function sealBody(
  context: SecurityContext,
  plain: Buffer,
): { readonly contentType: string; readonly body: Buffer } {
  const protocol = context.sealingProtocol;
  return {
    contentType: `multipart/encrypted;protocol="${protocol}";boundary="${usualBoundary}"`,
    body: encodeFramed({ ...context.seal(plain), length: plain.length }, protocol),
  };
}

/**
 * The plain text of a sealed body. Throws `parse` when the frame is not whole, `lost` when the message does not verify;
 * the socket is of no use after either.
 */
export function unsealBody(context: SecurityContext, contentType: string, body: Buffer): Buffer {
  const framed = decodeFramed(contentType, body, context.sealingProtocol);
  const plain = context.unseal(framed);
  if (plain.length !== framed.length) throw malformed(`${plain.length} bytes where ${framed.length} were declared`);
  return plain;
}

/** One sealed message as a body. Without tabs before the headers: Windows takes both, other services only this. */
export function encodeFramed({ signature, ciphertext, length }: FramedMessage, protocol: string): Buffer {
  const head = [
    `--${usualBoundary}`,
    `Content-Type: ${protocol}`,
    `OriginalContent: type=${soapType};Length=${length}`,
    `--${usualBoundary}`,
    'Content-Type: application/octet-stream',
    '',
  ].join('\r\n');
  const size = Buffer.alloc(4);
  size.writeUInt32LE(signature.length);
  return Buffer.concat([Buffer.from(head), size, signature, ciphertext, Buffer.from(`--${usualBoundary}--\r\n`)]);
}

/**
 * Takes a body apart by its declared lengths; the ciphertext is not searched for the boundary. Takes tabs and
 * spaces before headers, spaces after the dashes, any boundary. Throws `parse` for everything else.
 */
export function decodeFramed(contentType: string, body: Buffer, protocol: string): FramedMessage {
  const declared = parameter(contentType, 'protocol');
  if (!isSealed(contentType) || declared?.toLowerCase() !== protocol.toLowerCase()) {
    throw malformed(`protocol ${declared?.slice(0, 100) ?? 'of no name'}`);
  }
  const boundary = parameter(contentType, 'boundary') ?? usualBoundary;
  const first = readHeaders(body, skipDelimiter(body, 0, boundary), boundary);
  const length = plainLength(first.headers, body.length);
  const start = skipDelimiter(body, first.end, boundary);
  const { line, next } = readLine(body, start);
  if (!/^content-type:\s*application\/octet-stream$/i.test(line)) throw malformed('a second part that is not binary');
  if (next + 4 > body.length) throw malformed('a body that ends early');
  const signatureStart = next + 4;
  const signatureLength = body.readUInt32LE(next);
  const end = signatureStart + signatureLength + length;
  if (signatureLength > maxSignature || end > body.length) throw malformed('a body that ends early');
  if (!isClosing(body.subarray(end), boundary)) throw malformed('no end where the message ends');
  const middle = signatureStart + signatureLength;
  return { length, signature: body.subarray(signatureStart, middle), ciphertext: body.subarray(middle, end) };
}

/** One parameter of a content type; quotes are taken off. */
function parameter(contentType: string, name: string): string | undefined {
  for (const [, key = '', quoted, bare] of contentType.matchAll(
    /;\s*([\w-]{1,40})=(?:"([^"]{0,200})"|([^\s;"]{1,200}))/g,
  )) {
    if (key.toLowerCase() === name) return quoted ?? bare;
  }
  return undefined;
}

/** One line from `at` without its CRLF and the blanks around it, and where the next begins. */
function readLine(body: Buffer, at: number): { readonly line: string; readonly next: number } {
  const end = body.subarray(at, at + maxLine).indexOf('\r\n');
  if (end === -1) throw malformed('a line without end');
  return { line: body.toString('latin1', at, at + end).trim(), next: at + end + 2 };
}

function skipDelimiter(body: Buffer, at: number, boundary: string): number {
  const { line, next } = readLine(body, at);
  if (!isDelimiter(line, boundary)) throw malformed('no boundary where a part begins');
  return next;
}

function isDelimiter(line: string, boundary: string): boolean {
  return line.startsWith('--') && line.slice(2).trim() === boundary.trim();
}

/** Headers up to the next boundary, where `end` is. */
function readHeaders(
  body: Buffer,
  from: number,
  boundary: string,
): { readonly headers: string[]; readonly end: number } {
  const headers: string[] = [];
  for (let at = from; headers.length < maxLines;) {
    const { line, next } = readLine(body, at);
    if (isDelimiter(line, boundary)) return { headers, end: at };
    headers.push(line);
    at = next;
  }
  throw malformed('headers without end');
}

function plainLength(headers: readonly string[], limit: number): number {
  const content = headers.find((line) => /^originalcontent:/i.test(line)) ?? '';
  const digits = /;\s*length=(\d{1,10})\s*(?:;|$)/i.exec(content)?.[1];
  if (digits === undefined) throw malformed('no length');
  const length = Number(digits);
  if (length > limit) throw malformed('a length beyond its body');
  return length;
}

function isClosing(tail: Buffer, boundary: string): boolean {
  if (tail.length > maxLine) return false;
  const line = tail.toString('latin1').trimEnd();
  return line.startsWith('--') && line.endsWith('--') && line.slice(2, -2).trim() === boundary.trim();
}

function malformed(what: string): FettleError {
  return new FettleError('parse', `the host sent a sealed message that cannot be read: ${what}`, {
    hint: 'a proxy may alter the messages; connect without it',
  });
}
