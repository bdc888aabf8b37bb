/** The smallest key first: a binary heap. Pushing and taking cost the logarithm of its size. */
export class Heap<T> {
  readonly #items: { readonly key: number; readonly value: T }[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(key: number, value: T): void {
    const items = this.#items;
    let at = items.push({ key, value }) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#swapIfLess(at, above)) return;
      at = above;
    }
  }

  peek(): { readonly key: number; readonly value: T } | undefined {
    return this.#items[0];
  }

  pop(): { readonly key: number; readonly value: T } | undefined {
    const items = this.#items;
    const [first] = items;
    const last = items.pop();
    if (first === undefined || last === undefined || items.length === 0) return first;
    items[0] = last;
    let at = 0;
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const least = this.#keyAt(right) < this.#keyAt(left) ? right : left;
      if (!this.#swapIfLess(least, at)) return first;
      at = least;
    }
  }

  #keyAt(at: number): number {
    return this.#items[at]?.key ?? Infinity;
  }

  /** Puts the item at `one` in the place of `other` where its key is smaller. */
  #swapIfLess(one: number, other: number): boolean {
    const items = this.#items;
    const [a, b] = [items[one], items[other]];
    if (a === undefined || b === undefined || a.key >= b.key) return false;
    items[other] = a;
    items[one] = b;
    return true;
  }
}
