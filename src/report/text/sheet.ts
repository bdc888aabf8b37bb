import { cleanLine } from '../../base/text.ts';
import type { OutputStream } from './output.ts';
import { wrap } from './width.ts';

/** Lines of a known width; everything put on it is cleaned. */
export class Page {
  readonly paint: OutputStream['paint'];
  readonly columns: number;
  readonly #lines: string[] = [];

  constructor(stream: OutputStream) {
    this.paint = stream.paint;
    this.columns = Math.max(40, stream.columns() - 1);
  }

  /** Wrapped; later lines stand two further in. */
  put(indent: number, text: string): void {
    const [first = '', ...rest] = wrap(cleanLine(text), this.columns - indent - 2);
    this.line(' '.repeat(indent) + first);
    for (const line of rest) this.line(' '.repeat(indent + 2) + line);
  }

  /** Already clean and painted. */
  line(text: string): void {
    this.#lines.push(text.trimEnd());
  }

  section(title: string): void {
    this.line('');
    this.line(this.paint.bold(title));
  }

  field(name: string, value: string): void {
    const lines = wrap(cleanLine(value), this.columns - 12);
    for (const [index, line] of lines.entries()) {
      this.line(`  ${index === 0 ? this.paint.dim(name.padEnd(10)) : ' '.repeat(10)}${line}`);
    }
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}
