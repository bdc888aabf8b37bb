// The channel binding `tls-server-end-point` of RFC 5929 section 4: ties a login to the certificate it went through.
import { createHash } from 'node:crypto';
import { decodeOid, derTags, readDer, readDerAs } from './der.ts';

const rsaPss = '1.2.840.113549.1.1.10';

/** By signature algorithm (RFC 8017, RFC 5758) and, for RSASSA-PSS, by its hash algorithm; all others bind by SHA-256. */
const hashes: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.113549.1.1.14': 'sha224',
  '1.2.840.10045.4.3.1': 'sha224',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
  '2.16.840.1.101.3.4.2.4': 'sha224',
};

/**
 * Application data of the binding for a certificate in DER: the prefix and the certificate's hash by the algorithm of its
 * own signature, where MD5, SHA-1 and what has no hash stand for SHA-256. Throws `parse` when it is no certificate.
 */
export function tlsServerEndPoint(certificate: Buffer): Buffer {
  const hash = createHash(bindingHash(certificate)).update(certificate).digest();
  return Buffer.concat([Buffer.from('tls-server-end-point:', 'latin1'), hash]);
}

/** Name of the hash for `createHash`. */
export function bindingHash(certificate: Buffer): string {
  const { content } = readDerAs(derTags.sequence, certificate);
  const { rest } = readDerAs(derTags.sequence, content);
  const algorithm = readDerAs(derTags.sequence, rest).content;
  const oid = readDerAs(derTags.oid, algorithm);
  const name = decodeOid(oid.content);
  return hashes[name === rsaPss ? pssHash(oid.rest) : name] ?? 'sha256';
}

/** RFC 4055 3.1: the hash is in `[0]`, and SHA-1 when that is absent; undefined parameters are the same. */
function pssHash(parameters: Buffer): string {
  if (parameters.length === 0) return '';
  const { content } = readDerAs(derTags.sequence, parameters);
  if (content.length === 0) return '';
  const { element } = readDer(content);
  if (element.tag !== derTags.context0) return '';
  return decodeOid(readDerAs(derTags.oid, readDerAs(derTags.sequence, element.content).content).content);
}

/**
 * The 16 bytes NTLM carries ([MS-NLMP] 2.2.2.1, RFC 2744 3.11): MD5 of a `gss_channel_bindings_struct` with neither
 * address.
 */
export function channelBindingHash(applicationData: Buffer): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt32LE(applicationData.length, 16);
  return createHash('md5').update(head).update(applicationData).digest();
}
