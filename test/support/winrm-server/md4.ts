// MD4 (RFC 1320), which OpenSSL 3 no longer gives out.

const rounds = [
  { add: 0, order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], shifts: [3, 7, 11, 19] },
  { add: 0x5a827999, order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15], shifts: [3, 5, 9, 13] },
  { add: 0x6ed9eba1, order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15], shifts: [3, 9, 11, 15] },
] as const;

/** The 16 bytes of the digest. */
export function md4(message: Uint8Array): Buffer {
  const blocks = Buffer.alloc(((message.length + 8) >> 6) * 64 + 64);
  blocks.set(message);
  blocks[message.length] = 0x80;
  blocks.writeBigUInt64LE(BigInt(message.length) * 8n, blocks.length - 8);
  let state: readonly number[] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let at = 0; at < blocks.length; at += 64) {
    const mixed = mix(state, blocks.subarray(at, at + 64));
    state = state.map((word, index) => (word + (mixed[index] ?? 0)) >>> 0);
  }
  const digest = Buffer.alloc(16);
  state.forEach((word, index) => digest.writeUInt32LE(word, index * 4));
  return digest;
}

function mix(state: readonly number[], block: Buffer): readonly number[] {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  rounds.forEach(({ add, order, shifts }, round) => {
    order.forEach((word, index) => {
      const sum = (a + choose(round, b, c, d) + block.readUInt32LE(word * 4) + add) >>> 0;
      const shift = shifts[index % 4] ?? 0;
      [a, b, c, d] = [d, ((sum << shift) | (sum >>> (32 - shift))) >>> 0, b, c];
    });
  });
  return [a, b, c, d];
}

function choose(round: number, x: number, y: number, z: number): number {
  if (round === 0) return (x & y) | (~x & z);
  if (round === 1) return (x & y) | (x & z) | (y & z);
  return x ^ y ^ z;
}
