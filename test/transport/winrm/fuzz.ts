/** Numbers in [0, below), the same for the same seed: what a test finds once it finds again. mulberry32. */
export type Random = (below: number) => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export function randomText(random: Random, letters: string, maxLength: number): string {
  return Array.from({ length: random(maxLength) }, () => letters[random(letters.length)]).join('');
}

export function randomBuffer(random: Random, maxLength: number): Buffer {
  return Buffer.from(Array.from({ length: random(maxLength) }, () => random(256)));
}

/** `sample` with a few bytes changed, a part cut out, doubled, or the end missing. */
export function* mutations(random: Random, sample: Buffer, count: number): Generator<Buffer> {
  for (let round = 0; round < count; round += 1) {
    const at = random(sample.length);
    const to = at + random(sample.length - at);
    const changed = Buffer.from(sample);
    switch (random(4)) {
      case 0:
        for (let times = random(6); times >= 0; times -= 1) changed[random(changed.length)] = random(256);
        yield changed;
        break;
      case 1:
        yield Buffer.concat([sample.subarray(0, at), sample.subarray(to)]);
        break;
      case 2:
        yield Buffer.concat([sample.subarray(0, to), sample.subarray(at)]);
        break;
      default:
        yield sample.subarray(0, at);
    }
  }
}

/** `bytes` in pieces of random sizes. */
export function pieces(random: Random, bytes: Buffer, maxLength: number): readonly Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = 1 + random(maxLength);
    cut.push(bytes.subarray(at, at + length));
    at += length;
  }
  return cut;
}
