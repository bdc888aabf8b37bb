const rotations = [
  [3, 7, 11, 19],
  [3, 5, 9, 13],
  [3, 9, 11, 15],
] as const;

/** Message words in the order each round takes them. */
const orders = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
  [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
] as const;

const constants = [0, 0x5a82_7999, 0x6ed9_eba1] as const;

const mixers: readonly ((x: number, y: number, z: number) => number)[] = [
  (x, y, z) => (x & y) | (~x & z),
  (x, y, z) => (x & y) | (x & z) | (y & z),
  (x, y, z) => x ^ y ^ z,
];

/** MD4, RFC 1320: 16 bytes. Only for the hash of a password in NTLM; OpenSSL 3 has it only in its legacy provider. */
export function md4(message: Uint8Array): Buffer {
  const padded = pad(message);
  const state = new Uint32Array([0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]);
  for (let at = 0; at < padded.length; at += 64) compress(state, padded.subarray(at, at + 64));
  padded.fill(0);
  const digest = Buffer.alloc(16);
  state.forEach((word, index) => digest.writeUInt32LE(word, index * 4));
  return digest;
}

/** One 1 bit, zeros, and the length in bits as 64-bit little-endian, up to whole blocks of 64 bytes. */
function pad(message: Uint8Array): Buffer {
  const padded = Buffer.alloc(Math.ceil((message.length + 9) / 64) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  padded.writeBigUInt64LE(BigInt(message.length) * 8n, padded.length - 8);
  return padded;
}

function compress(state: Uint32Array, block: Buffer): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (const [round, mix] of mixers.entries()) {
    for (let step = 0; step < 16; step += 1) {
      const word = block.readUInt32LE((orders[round]?.[step] ?? 0) * 4);
      const sum = (a + mix(b, c, d) + word + (constants[round] ?? 0)) >>> 0;
      const by = rotations[round]?.[step % 4] ?? 0;
      [a, b, c, d] = [d, ((sum << by) | (sum >>> (32 - by))) >>> 0, b, c];
    }
  }
  for (const [index, word] of [a, b, c, d].entries()) state[index] = (state[index] ?? 0) + word;
}
