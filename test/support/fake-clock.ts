import type { Clock } from '../../src/base/clock.ts';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/**
 * Simulated time: it stands still while anything can go on and jumps to the next sleeper's hour when nothing can. Real
 * time never passes in a test that uses it.
 */
export class FakeClock implements Clock {
  #nowMs = 1_800_000_000_000;
  readonly #startMs = this.#nowMs;
  #sleepers: Sleeper[] = [];
  #isPumping = false;

  now(): number {
    return this.#nowMs;
  }

  elapsedMs(): number {
    return this.#nowMs - this.#startMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((item) => item !== sleeper);
        reject(signal?.reason as Error);
      };
      const wake = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const sleeper = { dueMs: this.#nowMs + ms, wake };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.push(sleeper);
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#afterQuiet(3, () => {
      this.#isPumping = false;
      const [next] = this.#sleepers.toSorted((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) return;
      this.#sleepers = this.#sleepers.filter((item) => item !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.wake();
      if (this.#sleepers.length > 0) this.#pump();
    });
  }

  /** Lets everything that is ready run first, `turns` times over. */
  #afterQuiet(turns: number, action: () => void): void {
    setImmediate(() => (turns === 0 ? action() : this.#afterQuiet(turns - 1, action)));
  }
}
