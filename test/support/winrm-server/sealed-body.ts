// The multipart/encrypted body that carries one sealed SOAP message.
import type { Sealed } from './ntlm-sealing.ts';

const protocol = 'application/HTTP-SPNEGO-session-encrypted';
const boundary = '--Encrypted Boundary';
const soapType = 'application/soap+xml;charset=UTF-8';

export const sealedContentType = `multipart/encrypted;protocol="${protocol}";boundary="Encrypted Boundary"`;

/** How the parts are written: all three forms occur. */
export type PartStyle = 'plain' | 'tab' | 'space';

export function isSealedType(contentType: string): boolean {
  return contentType.toLowerCase().startsWith('multipart/encrypted') && contentType.includes(protocol);
}

/** Length the client says the plaintext has, and the sealed message. Undefined where the body is not of this form. */
export function decodeSealedBody(body: Buffer): (Sealed & { readonly length: number }) | undefined {
  const head = /^--Encrypted Boundary\r\n(?<described>(?:[^\r\n]+\r\n)+)--Encrypted Boundary\r\n[^\r\n]+\r\n/.exec(
    body.subarray(0, 1024).toString('latin1'),
  );
  const length = /^\t?OriginalContent: type=application\/soap\+xml;charset=UTF-8;Length=(\d+)\r$/m.exec(
    head?.groups?.['described'] ?? '',
  )?.[1];
  if (head === null || length === undefined) return undefined;
  const end = body.length - `${boundary}--\r\n`.length;
  if (body.subarray(end).toString('latin1') !== `${boundary}--\r\n`) return undefined;
  const message = body.subarray(head[0].length, end);
  if (message.length < 20 || message.readUInt32LE(0) !== 16) return undefined;
  return { signature: message.subarray(4, 20), ciphertext: message.subarray(20), length: Number(length) };
}

export function encodeSealedBody({ signature, ciphertext }: Sealed, style: PartStyle): Buffer {
  const indent = style === 'plain' ? '' : '\t';
  const opening = style === 'space' ? '-- Encrypted Boundary' : boundary;
  const head = [
    opening,
    `${indent}Content-Type: ${protocol}`,
    `${indent}OriginalContent: type=${soapType};Length=${ciphertext.length}`,
    opening,
    `${indent}Content-Type: application/octet-stream\r\n`,
  ].join('\r\n');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(signature.length);
  return Buffer.concat([Buffer.from(head), length, signature, ciphertext, Buffer.from(`${opening}--\r\n`)]);
}
