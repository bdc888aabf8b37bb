// The three messages of MS-NLMP as the accepting side sees them.

export const flag = {
  unicode: 0x1,
  oem: 0x2,
  requestTarget: 0x4,
  sign: 0x10,
  seal: 0x20,
  ntlm: 0x200,
  alwaysSign: 0x8000,
  targetIsServer: 0x20000,
  extendedSecurity: 0x80000,
  targetInfo: 0x800000,
  version: 0x2000000,
  bits128: 0x20000000,
  keyExchange: 0x40000000,
  bits56: 0x80000000,
} as const;

export const pair = {
  end: 0,
  computer: 1,
  domain: 2,
  dnsComputer: 3,
  dnsDomain: 4,
  flags: 6,
  timestamp: 7,
  targetName: 9,
  channelBindings: 10,
} as const;

export type TargetInfo = ReadonlyMap<number, Buffer>;

export interface AuthenticateMessage {
  readonly ntResponse: Buffer;
  readonly domain: string;
  readonly user: string;
  readonly encryptedKey: Buffer;
  readonly flags: number;
  readonly mic: Buffer;
  /** The message with 16 zero bytes where the MIC stands. */
  readonly withoutMic: Buffer;
}

const signature = Buffer.from('NTLMSSP\0', 'latin1');
// Windows Server 2022: 10.0 build 20348, NTLM revision 15.
const version = Buffer.from('0a007c4f0000000f', 'hex');
const micStart = 72;
const micEnd = 88;

/** The kind of message, or 0 where it is no NTLM message. */
export function messageType(bytes: Buffer): number {
  return bytes.length >= 12 && bytes.subarray(0, 8).equals(signature) ? bytes.readUInt32LE(8) : 0;
}

export function negotiateFlags(negotiate: Buffer): number {
  return negotiate.readUInt32LE(12);
}

export function encodeTargetInfo(pairs: TargetInfo): Buffer {
  const parts = [...pairs].flatMap(([id, value]) => [uint16(id, value.length), value]);
  return Buffer.concat([...parts, uint16(pair.end, 0)]);
}

export function decodeTargetInfo(bytes: Buffer): TargetInfo {
  const pairs = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length;) {
    const [id, length] = [bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2)];
    if (id === pair.end) return pairs;
    pairs.set(id, slice(bytes, at + 4, length));
    at += 4 + length;
  }
  throw new Error('the target information has no end');
}

/** CHALLENGE_MESSAGE, MS-NLMP 2.2.1.2. */
export function encodeChallenge(options: {
  readonly flags: number;
  readonly serverChallenge: Buffer;
  readonly targetName: string;
  /** Encoded by `encodeTargetInfo`. */
  readonly targetInfo: Buffer;
}): Buffer {
  const name = Buffer.from(options.targetName, (options.flags & flag.unicode) === 0 ? 'latin1' : 'utf16le');
  const head = Buffer.alloc(48);
  signature.copy(head);
  head.writeUInt32LE(2, 8);
  writeField(head, 12, [name.length, 56]);
  head.writeUInt32LE(options.flags >>> 0, 20);
  options.serverChallenge.copy(head, 24);
  writeField(head, 40, [options.targetInfo.length, 56 + name.length]);
  return Buffer.concat([head, version, name, options.targetInfo]);
}

/** AUTHENTICATE_MESSAGE, MS-NLMP 2.2.1.3. */
export function decodeAuthenticate(bytes: Buffer): AuthenticateMessage {
  const flags = bytes.readUInt32LE(60);
  const encoding = (flags & flag.unicode) === 0 ? 'latin1' : 'utf16le';
  const withoutMic = Buffer.from(bytes);
  withoutMic.fill(0, micStart, micEnd);
  return {
    ntResponse: field(bytes, 20),
    domain: field(bytes, 28).toString(encoding),
    user: field(bytes, 36).toString(encoding),
    encryptedKey: field(bytes, 52),
    flags,
    mic: slice(bytes, micStart, 16),
    withoutMic,
  };
}

export function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

function field(bytes: Buffer, at: number): Buffer {
  return slice(bytes, bytes.readUInt32LE(at + 4), bytes.readUInt16LE(at));
}

function slice(bytes: Buffer, start: number, length: number): Buffer {
  if (start + length > bytes.length) throw new Error('a field of the message points past its end');
  return bytes.subarray(start, start + length);
}

function writeField(bytes: Buffer, at: number, [length, offset]: readonly [number, number]): void {
  bytes.writeUInt16LE(length, at);
  bytes.writeUInt16LE(length, at + 2);
  bytes.writeUInt32LE(offset, at + 4);
}

function uint16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => bytes.writeUInt16LE(value, index * 2));
  return bytes;
}
