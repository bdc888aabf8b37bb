// Messages of [MS-NLMP] 2.2: integers little-endian, texts UTF-16LE, every field a length, a maximum and an offset.
import { FettleError } from '../../../domain/error.ts';

/** NEGOTIATE flags, [MS-NLMP] 2.2.2.5. */
export const ntlmFlags = {
  unicode: 0x0000_0001,
  requestTarget: 0x0000_0004,
  sign: 0x0000_0010,
  seal: 0x0000_0020,
  ntlm: 0x0000_0200,
  alwaysSign: 0x0000_8000,
  targetTypeDomain: 0x0001_0000,
  targetTypeServer: 0x0002_0000,
  extendedSessionSecurity: 0x0008_0000,
  targetInfo: 0x0080_0000,
  version: 0x0200_0000,
  bits128: 0x2000_0000,
  keyExchange: 0x4000_0000,
  bits56: 0x8000_0000,
} as const;

/** What this client asks for. */
export const clientFlags = 0xe288_8235;

/** Ids of attribute-value pairs, [MS-NLMP] 2.2.2.1. */
export const avIds = { end: 0, flags: 6, timestamp: 7, targetName: 9, channelBindings: 10 } as const;

/** Bit of the `flags` pair: the AUTHENTICATE message carries a MIC. */
export const avMicPresent = 2;

export interface AvPair {
  readonly id: number;
  readonly value: Buffer;
}

export interface Challenge {
  /** Unsigned 32-bit. */
  readonly flags: number;
  /** 8 bytes. */
  readonly serverChallenge: Buffer;
  /** Without the end mark; each `flags` is 4 bytes, each `timestamp` 8. */
  readonly targetInfo: readonly AvPair[];
}

export interface AuthenticateFields {
  readonly flags: number;
  readonly lmResponse: Buffer;
  readonly ntResponse: Buffer;
  readonly domain: string;
  readonly user: string;
  readonly workstation: string;
  /** Empty without key exchange. */
  readonly encryptedSessionKey: Buffer;
}

const signature = Buffer.from('NTLMSSP\0', 'latin1');
/** A Windows 10 of revision 15; nothing depends on it. */
const version = Buffer.from('0a00614a0000000f', 'hex');
const negotiateLength = 40;
const challengeHeaderLength = 48;
const authenticateHeaderLength = 88;
/** Far more than any host sends, and small enough that the reply fits the 16-bit lengths. */
const maxChallengeLength = 32_768;

/** Where the MIC stands in an AUTHENTICATE message. */
export const micOffset = 72;
export const micLength = 16;

export function encodeNegotiate(): Buffer {
  const message = Buffer.alloc(negotiateLength);
  signature.copy(message);
  message.writeUInt32LE(1, 8);
  message.writeUInt32LE(clientFlags, 12);
  message.writeUInt32LE(negotiateLength, 20);
  message.writeUInt32LE(negotiateLength, 28);
  version.copy(message, 32);
  return message;
}

/** Throws `auth` for anything that is not a whole, consistent CHALLENGE. */
export function decodeChallenge(message: Buffer): Challenge {
  if (message.length < challengeHeaderLength || message.length > maxChallengeLength) throw malformed('its size');
  if (!message.subarray(0, 8).equals(signature) || message.readUInt32LE(8) !== 2) throw malformed('its kind');
  const flags = message.readUInt32LE(20);
  const hasTargetInfo = (flags & ntlmFlags.targetInfo) !== 0;
  return {
    flags,
    serverChallenge: Buffer.from(message.subarray(24, 32)),
    targetInfo: hasTargetInfo ? decodeAvPairs(field(message, 40)) : [],
  };
}

/** The bytes a length and an offset name; nothing when the length is 0, whatever the offset is. */
function field(message: Buffer, at: number): Buffer {
  const length = message.readUInt16LE(at);
  const offset = message.readUInt32LE(at + 4);
  if (length === 0) return Buffer.alloc(0);
  if (offset < challengeHeaderLength || offset + length > message.length) throw malformed('a field outside of it');
  return message.subarray(offset, offset + length);
}

/** Up to the end mark, or to the end of the bytes. Throws `auth` when a pair does not fit. */
export function decodeAvPairs(bytes: Buffer): readonly AvPair[] {
  const pairs: AvPair[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 4 > bytes.length) throw malformed('a cut pair');
    const id = bytes.readUInt16LE(at);
    const end = at + 4 + bytes.readUInt16LE(at + 2);
    if (id === avIds.end) break;
    if (end > bytes.length) throw malformed('a cut pair');
    const value = Buffer.from(bytes.subarray(at + 4, end));
    const length = id === avIds.flags ? 4 : id === avIds.timestamp ? 8 : value.length;
    if (value.length !== length) throw malformed('a pair of the wrong length');
    pairs.push({ id, value });
    at = end;
  }
  return pairs;
}

/** With the end mark. */
export function encodeAvPairs(pairs: readonly AvPair[]): Buffer {
  const parts = [...pairs, { id: avIds.end, value: Buffer.alloc(0) }].flatMap(({ id, value }) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(id, 0);
    head.writeUInt16LE(fits(value.length, 'a pair'), 2);
    return [head, value];
  });
  return Buffer.concat(parts);
}

/** AUTHENTICATE with room for a MIC, which is zeros. Throws `auth` when a name is too long for it. */
export function encodeAuthenticate(fields: AuthenticateFields): Buffer {
  const header = Buffer.alloc(authenticateHeaderLength);
  signature.copy(header);
  header.writeUInt32LE(3, 8);
  header.writeUInt32LE(fields.flags >>> 0, 60);
  version.copy(header, 64);
  const domain = Buffer.from(fields.domain, 'utf16le');
  const user = Buffer.from(fields.user, 'utf16le');
  const workstation = Buffer.from(fields.workstation, 'utf16le');
  const placed: readonly (readonly [at: number, value: Buffer])[] = [
    [12, fields.lmResponse],
    [20, fields.ntResponse],
    [28, domain],
    [36, user],
    [44, workstation],
    [52, fields.encryptedSessionKey],
  ];
  let offset = header.length;
  for (const [at, value] of placed) {
    header.writeUInt16LE(fits(value.length, 'a field'), at);
    header.writeUInt16LE(value.length, at + 2);
    header.writeUInt32LE(offset, at + 4);
    offset += value.length;
  }
  return Buffer.concat([header, ...placed.map(([, value]) => value)]);
}

function fits(length: number, what: string): number {
  if (length <= 0xffff) return length;
  throw new FettleError('auth', `the NTLM login is too long: ${what} has ${length} bytes`, {
    hint: 'use a shorter user or host name',
  });
}

function malformed(what: string): FettleError {
  return new FettleError('auth', `the host sent an invalid NTLM challenge: ${what}`, {
    hint: 'check that the port is that of WinRM and that no proxy alters the login',
  });
}
