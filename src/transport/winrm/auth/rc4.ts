/**
 * The RC4 stream of one direction: keyed once, then every byte moves it on. Only for NTLM sealing, which knows no
 * other cipher; OpenSSL 3 has it only in its legacy provider.
 */
export class Rc4 implements Disposable {
  readonly #state = new Uint8Array(256);
  #i = 0;
  #j = 0;

  constructor(key: Uint8Array) {
    const state = this.#state;
    for (let i = 0; i < 256; i += 1) state[i] = i;
    for (let i = 0, j = 0; i < 256; i += 1) {
      const value = state[i] ?? 0;
      j = (j + value + (key[i % key.length] ?? 0)) & 0xff;
      state[i] = state[j] ?? 0;
      state[j] = value;
    }
  }

  /** Encrypts or decrypts, which is the same; gives a new buffer of the same length. */
  update(input: Uint8Array): Buffer {
    const state = this.#state;
    const output = Buffer.allocUnsafe(input.length);
    let i = this.#i;
    let j = this.#j;
    for (let at = 0; at < input.length; at += 1) {
      i = (i + 1) & 0xff;
      const value = state[i] ?? 0;
      j = (j + value) & 0xff;
      const other = state[j] ?? 0;
      state[i] = other;
      state[j] = value;
      output[at] = (input[at] ?? 0) ^ (state[(value + other) & 0xff] ?? 0);
    }
    this.#i = i;
    this.#j = j;
    return output;
  }

  /** Forgets the key; what is made afterwards is no RC4. */
  [Symbol.dispose](): void {
    this.#state.fill(0);
    this.#i = 0;
    this.#j = 0;
  }
}
