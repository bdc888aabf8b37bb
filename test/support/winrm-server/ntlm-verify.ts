// What a server computes from an AUTHENTICATE_MESSAGE (MS-NLMP 3.2.5.1.2 and 3.4).
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { md4 } from './md4.ts';
import { decodeAuthenticate, decodeTargetInfo, flag, pair, utf16, type TargetInfo } from './ntlm-message.ts';
import { Rc4Stream } from './rc4.ts';

export interface HandshakeBytes {
  readonly negotiate: Buffer;
  readonly challenge: Buffer;
  readonly authenticate: Buffer;
}

export interface VerifiedHandshake {
  readonly user: string;
  readonly domain: string;
  /** As the client settled them. */
  readonly flags: number;
  /** Both sides' session key, 16 bytes. */
  readonly exportedKey: Buffer;
  /** What the client echoed and added: its channel binding, the service it wants. */
  readonly pairs: TargetInfo;
}

/** The handshake is wrong; the message says in which respect, for the tests' own eyes. */
export class RefusedHandshake extends Error {}

/** User and domain as the client claims them, before anything is believed. */
export function claimedName(authenticate: Buffer): { readonly user: string; readonly domain: string } {
  const { user, domain } = decodeAuthenticate(authenticate);
  return { user, domain };
}

/**
 * Checks the NTLMv2 response and, where the client says it made one, the MIC.
 * @throws RefusedHandshake
 */
export function verifyHandshake(bytes: HandshakeBytes, password: string): VerifiedHandshake {
  const message = decodeAuthenticate(bytes.authenticate);
  if (message.ntResponse.length < 48) throw new RefusedHandshake('the response is not of NTLM version 2');
  const proof = message.ntResponse.subarray(0, 16);
  const blob = message.ntResponse.subarray(16);
  const responseKey = hmac(md4(utf16(password)), utf16(message.user.toUpperCase() + message.domain));
  const serverChallenge = bytes.challenge.subarray(24, 32);
  if (!isSame(hmac(responseKey, serverChallenge, blob), proof)) throw new RefusedHandshake('the password is wrong');
  const pairs = decodeTargetInfo(blob.subarray(28));
  checkEcho(bytes.challenge, pairs);
  const exportedKey = exportKey(hmac(responseKey, proof), message);
  const saysMic = ((pairs.get(pair.flags)?.readUInt32LE(0) ?? 0) & 2) !== 0;
  if (offeredInfo(bytes.challenge).has(pair.timestamp) && !saysMic) {
    throw new RefusedHandshake('the challenge had a timestamp and the answer has no MIC');
  }
  if (saysMic) {
    const expected = hmac(exportedKey, bytes.negotiate, bytes.challenge, message.withoutMic);
    if (!isSame(expected, message.mic)) throw new RefusedHandshake('the MIC does not fit the three messages');
  }
  return { user: message.user, domain: message.domain, flags: message.flags, exportedKey, pairs };
}

/** RFC 5929 tls-server-end-point as NTLM carries it: MD5 of a gss_channel_bindings_struct without addresses. */
export function ntlmChannelBinding(certificateHash: Buffer): Buffer {
  const data = Buffer.concat([Buffer.from('tls-server-end-point:'), certificateHash]);
  const head = Buffer.alloc(20);
  head.writeUInt32LE(data.length, 16);
  return createHash('md5').update(head).update(data).digest();
}

export function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

export function hmac(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const made = createHmac('md5', key);
  for (const part of parts) made.update(part);
  return made.digest();
}

function exportKey(base: Buffer, message: { readonly flags: number; readonly encryptedKey: Buffer }): Buffer {
  if ((message.flags & flag.keyExchange) === 0) return base;
  if (message.encryptedKey.length !== 16) throw new RefusedHandshake('the session key is not 16 bytes long');
  return new Rc4Stream(base).update(message.encryptedKey);
}

/** The client must give back what it was told, except for what it may change. */
function checkEcho(challenge: Buffer, answered: TargetInfo): void {
  for (const [id, value] of offeredInfo(challenge)) {
    if (id === pair.flags) continue;
    if (answered.get(id)?.equals(value) !== true) throw new RefusedHandshake(`target information ${id} was changed`);
  }
}

function offeredInfo(challenge: Buffer): TargetInfo {
  const start = challenge.readUInt32LE(44);
  return decodeTargetInfo(challenge.subarray(start, start + challenge.readUInt16LE(40)));
}
