// The computed part of NTLMv2, [MS-NLMP] 3.3: from password and challenges to responses and keys.
import { createHmac } from 'node:crypto';
import { md4 } from './md4.ts';
import { avIds, encodeAvPairs, type AvPair } from './ntlm-message.ts';

export interface NtlmAccount {
  readonly user: string;
  readonly domain: string;
}

/** `DOMAIN\user` has a domain (`.` is the host itself); `user@realm` goes over whole; a bare name has none. */
export function splitUser(name: string): NtlmAccount {
  const at = name.indexOf('\\');
  return at === -1 ? { user: name, domain: '' } : { user: name.slice(at + 1), domain: name.slice(0, at) };
}

/** NTOWFv1, [MS-NLMP] 3.3.1. */
export function ntowfV1(password: string): Buffer {
  const text = Buffer.from(password, 'utf16le');
  const hash = md4(text);
  text.fill(0);
  return hash;
}

/** NTOWFv2, [MS-NLMP] 3.3.2. The domain counts exactly as it is sent. */
export function ntowfV2(password: string, { user, domain }: NtlmAccount): Buffer {
  const hash = ntowfV1(password);
  const key = hmacMd5(hash, Buffer.from(upperCase(user) + domain, 'utf16le'));
  hash.fill(0);
  return key;
}

/** As Windows does it: one code unit for one code unit, and no letter turns into one of ASCII. */
function upperCase(text: string): string {
  return text.replace(/[^A-Z]/g, (unit) => {
    const upper = unit.toUpperCase();
    return upper.length === 1 && (upper > '\x7f' || unit <= '\x7f') ? upper : unit;
  });
}

export interface NtlmV2Request {
  /** NTOWFv2. */
  readonly key: Buffer;
  readonly serverChallenge: Buffer;
  /** 8 bytes. */
  readonly clientChallenge: Buffer;
  /** Epoch milliseconds; used if the host sent no time. */
  readonly nowMs: number;
  readonly pairs: readonly AvPair[];
}

export interface NtlmV2Answer {
  readonly ntResponse: Buffer;
  readonly lmResponse: Buffer;
  /** Also the session base key: they are one in version 2. */
  readonly keyExchangeKey: Buffer;
  readonly hasTimestamp: boolean;
}

/** [MS-NLMP] 3.3.2. */
export function ntlmV2Answer({ key, serverChallenge, clientChallenge, nowMs, pairs }: NtlmV2Request): NtlmV2Answer {
  const serverTime = pairs.find(({ id }) => id === avIds.timestamp)?.value;
  const temp = Buffer.concat([
    Buffer.from([1, 1, 0, 0, 0, 0, 0, 0]),
    serverTime ?? fileTime(nowMs),
    clientChallenge,
    Buffer.alloc(4),
    encodeAvPairs(pairs),
    Buffer.alloc(4),
  ]);
  const proof = hmacMd5(key, serverChallenge, temp);
  const lmV2 = (): Buffer => Buffer.concat([hmacMd5(key, serverChallenge, clientChallenge), clientChallenge]);
  return {
    ntResponse: Buffer.concat([proof, temp]),
    lmResponse: serverTime === undefined ? lmV2() : Buffer.alloc(24),
    keyExchangeKey: hmacMd5(key, proof),
    hasTimestamp: serverTime !== undefined,
  };
}

/** 100 ns since 1601, little-endian. */
function fileTime(epochMs: number): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64LE(BigInt.asUintN(64, BigInt(Math.trunc(epochMs)) * 10_000n + 116_444_736_000_000_000n));
  return time;
}

export function hmacMd5(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const hmac = createHmac('md5', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}
