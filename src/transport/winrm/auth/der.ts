// Just enough of DER (ITU-T X.690) to walk into a certificate; bytes come from the other end of a connection.
import { FettleError } from '../../../domain/error.ts';

/** Tags as they stand in the first byte. */
export const derTags = { oid: 0x06, sequence: 0x30, context0: 0xa0 } as const;

export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
}

/** The element at the start of `bytes`, and what follows it. Throws `parse` for a length that is not there. */
export function readDer(bytes: Buffer): { readonly element: DerElement; readonly rest: Buffer } {
  const tag = bytes[0];
  const first = bytes[1];
  if (tag === undefined || first === undefined) throw malformed('it ends early');
  if ((tag & 0x1f) === 0x1f) throw malformed('a tag of several bytes');
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 4) throw malformed('a length without end');
  const start = 2 + lengthBytes;
  if (start > bytes.length) throw malformed('it ends early');
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  if (length > bytes.length - start) throw malformed('it ends early');
  return {
    element: { tag, content: bytes.subarray(start, start + length) },
    rest: bytes.subarray(start + length),
  };
}

/** The element at the start of `bytes`, which must have this tag. */
export function readDerAs(tag: number, bytes: Buffer): { readonly content: Buffer; readonly rest: Buffer } {
  const { element, rest } = readDer(bytes);
  if (element.tag !== tag) throw malformed(`tag ${element.tag} where ${tag} is expected`);
  return { content: element.content, rest };
}

/** Dotted form of the content of an OBJECT IDENTIFIER; `''` for one that is empty. Arcs beyond 2^53 throw `parse`. */
export function decodeOid(content: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(arc)) throw malformed('an identifier that is too large');
    if ((byte & 0x80) !== 0) continue;
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)), arc - Math.min(2, Math.floor(arc / 40)) * 40);
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}

function malformed(what: string): FettleError {
  return new FettleError('parse', `the certificate of the host cannot be read: ${what}`, {
    hint: 'install another certificate on the host',
  });
}
