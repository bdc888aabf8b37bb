// Streams, a clock and a ticker in memory.
import { Writable } from 'node:stream';
import type { Clock } from '../../src/base/clock.ts';
import { createOutput, type Output } from '../../src/report/text/output.ts';

export class MemoryStream extends Writable {
  readonly isTTY: boolean;
  columns: number;
  rows: number;
  text = '';

  constructor({ isTty = false, columns = 80, rows = 24 } = {}) {
    super();
    this.isTTY = isTty;
    this.columns = columns;
    this.rows = rows;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

/** Time that passes only when told to; what was asked to repeat is called as it passes. */
export class ManualTime implements Clock {
  #ms = 0;
  readonly #repeats = new Set<{ readonly ms: number; readonly action: () => void; dueMs: number }>();

  now(): number {
    return Date.UTC(2026, 10, 23, 19, 0) + this.#ms;
  }

  elapsedMs(): number {
    return this.#ms;
  }

  sleep(): Promise<void> {
    return Promise.reject(new Error('nothing that reports may sleep'));
  }

  readonly every = (ms: number, action: () => void): Disposable => {
    const repeat = { ms, action, dueMs: this.#ms + ms };
    this.#repeats.add(repeat);
    return { [Symbol.dispose]: () => void this.#repeats.delete(repeat) };
  };

  /** How many repeats are still going. */
  get running(): number {
    return this.#repeats.size;
  }

  pass(ms: number): void {
    const endMs = this.#ms + ms;
    for (;;) {
      const [next] = [...this.#repeats].filter((item) => item.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) break;
      this.#ms = next.dueMs;
      next.dueMs += next.ms;
      next.action();
    }
    this.#ms = endMs;
  }
}

export interface FakeOutput {
  readonly output: Output;
  readonly stdout: MemoryStream;
  readonly stderr: MemoryStream;
  readonly time: ManualTime;
}

export function fakeOutput({ isTty = false, columns = 80, rows = 24, colour = false } = {}): FakeOutput {
  const stdout = new MemoryStream({ isTty, columns, rows });
  const stderr = new MemoryStream({ isTty, columns, rows });
  const time = new ManualTime();
  const output = createOutput({ stdout, stderr, env: {}, clock: time, colour, every: time.every });
  return { output, stdout, stderr, time };
}

/** What must never be written to a terminal, `kept` excepted. */
export function steering(text: string, kept = '\n'): string[] {
  return [...text.matchAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu)]
    .map(([found]) => found)
    .filter((found) => !kept.includes(found));
}

/** Sets the title, moves and hides the cursor, turns the text around, fakes a line, rings, clears the screen. */
export const nasty =
  '\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m\x1b[?25l\rfake\n[web02] verified\u202etxt.exe\u2066\x9b5n\x00\x07\x08\u200b\u2028end\x1b';
