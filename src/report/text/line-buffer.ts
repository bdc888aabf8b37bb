/** Longest line that is kept together. */
const lineLimit = 4_000;

/** Puts what comes in pieces together to lines, each host for itself; empty lines are left out. */
export class LineBuffer {
  readonly #tails = new Map<string, string>();
  readonly #onLine: (host: string, line: string) => void;

  constructor(onLine: (host: string, line: string) => void) {
    this.#onLine = onLine;
  }

  add(host: string, text: string): void {
    const lines = `${this.#tails.get(host) ?? ''}${text}`.split(/\r?\n|\r/);
    const tail = lines.pop() ?? '';
    for (const line of lines) this.#tell(host, line);
    if (tail.length > lineLimit) {
      this.#tell(host, tail);
      this.#tails.delete(host);
    } else {
      this.#tails.set(host, tail);
    }
  }

  flush(host: string): void {
    const tail = this.#tails.get(host);
    this.#tails.delete(host);
    if (tail !== undefined) this.#tell(host, tail);
  }

  flushAll(): void {
    for (const host of [...this.#tails.keys()]) this.flush(host);
  }

  #tell(host: string, line: string): void {
    if (line.trim() !== '') this.#onLine(host, line);
  }
}
