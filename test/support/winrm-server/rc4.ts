/** One RC4 key stream; every call goes on where the last one ended. */
export class Rc4Stream {
  readonly #box = Uint8Array.from({ length: 256 }, (_, index) => index);
  #i = 0;
  #j = 0;

  constructor(key: Uint8Array) {
    let j = 0;
    for (let i = 0; i < 256; i += 1) {
      j = (j + this.#at(i) + (key[i % key.length] ?? 0)) & 255;
      this.#swap(i, j);
    }
  }

  update(bytes: Uint8Array): Buffer {
    const result = Buffer.from(bytes);
    for (let at = 0; at < result.length; at += 1) {
      this.#i = (this.#i + 1) & 255;
      this.#j = (this.#j + this.#at(this.#i)) & 255;
      this.#swap(this.#i, this.#j);
      result[at] = (result[at] ?? 0) ^ this.#at((this.#at(this.#i) + this.#at(this.#j)) & 255);
    }
    return result;
  }

  #at(index: number): number {
    return this.#box[index] ?? 0;
  }

  #swap(one: number, other: number): void {
    const kept = this.#at(one);
    this.#box[one] = this.#at(other);
    this.#box[other] = kept;
  }
}
