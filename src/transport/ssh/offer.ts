// The algorithms a host offers for the key exchange, read from its first packet, which is not encrypted.

/** Names in the host's own order, RFC 4253 7.1. */
interface KeyExchangeOffer {
  readonly kex: readonly string[];
  readonly hostKeys: readonly string[];
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
}

/** An identification line is at most 255 bytes, RFC 4253 4.2; lines before it are a few, a packet at most 35,000 bytes. */
export const offerBytes = 48 * 1024;

const kexInit = 20;
const cookieBytes = 16;

/** From the first bytes of a connection; undefined where they hold no whole SSH_MSG_KEXINIT. */
function readOffer(bytes: Buffer): KeyExchangeOffer | undefined {
  const begins = bytes.subarray(0, 4).toString('latin1') === 'SSH-' ? 0 : bytes.indexOf('\nSSH-') + 1;
  const lineEnd = bytes.indexOf(0x0a, begins);
  if (lineEnd < 0 || bytes.toString('latin1', begins, begins + 4) !== 'SSH-') return undefined;
  // Packet length, padding length, message number.
  const packet = lineEnd + 1;
  if (bytes.length < packet + 6 || bytes[packet + 5] !== kexInit) return undefined;
  if (bytes.length < packet + 4 + bytes.readUInt32BE(packet)) return undefined;
  let at = packet + 6 + cookieBytes;
  const lists: string[][] = [];
  // Key exchange, host keys, ciphers and MACs, the latter two from client to server and back.
  for (let count = 0; count < 6; count += 1) {
    if (at + 4 > bytes.length) return undefined;
    const length = bytes.readUInt32BE(at);
    if (at + 4 + length > bytes.length) return undefined;
    lists.push(bytes.toString('latin1', at + 4, at + 4 + length).split(','));
    at += 4 + length;
  }
  const [kex = [], hostKeys = [], , ciphers = [], , macs = []] = lists;
  return { kex, hostKeys, ciphers, macs };
}

/** ssh2's messages for a missing match, kex.js, and the list each is about. */
const about: readonly (readonly [pattern: RegExp, keyword: string, list: keyof KeyExchangeOffer])[] = [
  [/no matching key exchange/i, 'KexAlgorithms', 'kex'],
  [/no matching host key/i, 'HostKeyAlgorithms', 'hostKeys'],
  [/no matching .*cipher/i, 'Ciphers', 'ciphers'],
  [/no matching .*MAC/i, 'MACs', 'macs'],
];

/** For the error of a handshake without a common algorithm: what the host offers, and what to do. */
export function mismatch(
  message: string,
  bytes: Buffer,
): { readonly detail: string; readonly hint: string } | undefined {
  const found = about.find(([pattern]) => pattern.test(message));
  const offer = found === undefined ? undefined : readOffer(bytes);
  if (found === undefined || offer === undefined) return undefined;
  const [, keyword, list] = found;
  const printable = offer[list].filter((name) => /^[\x21-\x7e]{1,64}$/.test(name)).slice(0, 40);
  const hint = printable.includes('ssh-rsa')
    ? 'it supports only SHA-1 signatures (ssh-rsa): give it an ed25519 key, or allow them with HostKeyAlgorithms +ssh-rsa in ~/.ssh/config'
    : `${keyword} in sshd_config of the host must include an algorithm that fettle and ~/.ssh/config allow`;
  return { detail: `it offers ${printable.join(', ')}`, hint };
}
