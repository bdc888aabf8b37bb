import { cancelled, orCancelled } from '../../limit.ts';

/** A fair mutex: one holder at a time, in the order of requests; the lock passes directly to the next waiter. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  /** Resolves when it is the caller's turn; disposing gives it to the next, once. Throws the cancellation. */
  async take(signal: AbortSignal | undefined, what: string): Promise<Disposable> {
    if (signal?.aborted) throw cancelled(signal, what);
    if (this.#isTaken) await this.#wait(signal, what);
    this.#isTaken = true;
    let isMine = true;
    return {
      [Symbol.dispose]: () => {
        if (isMine) this.#pass();
        isMine = false;
      },
    };
  }

  async #wait(signal: AbortSignal | undefined, what: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    try {
      await orCancelled(promise, signal, what);
      if (signal?.aborted) throw cancelled(signal, what);
    } catch (error) {
      const at = this.#waiting.indexOf(resolve);
      // Granted and cancelled at once: the lock passes to the next waiter.
      if (at >= 0) this.#waiting.splice(at, 1);
      else this.#pass();
      throw error;
    }
  }

  #pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isTaken = false;
    else next();
  }
}
