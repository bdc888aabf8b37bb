// A picture redrawn in place. Sequences are of ECMA-48 and DEC, as in ctlseqs of xterm.
import type { RawStream } from './output.ts';

const save = '\u001b7';
const restore = '\u001b8';
const eraseLineEnd = '\u001b[K';
const eraseBelow = '\u001b[J';
const noWrap = '\u001b[?7l';
const wrap = '\u001b[?7h';
/** Synchronized output: a terminal that knows it shows the picture at once, others ignore it. */
const begin = '\u001b[?2026h';
const end = '\u001b[?2026l';

/**
 * Between two drawings the cursor rests on the first line of the picture, and its place is saved. What is typed meanwhile
 * is echoed there and drawn over: an Enter goes down into the picture, where at the end of the picture it would move the
 * screen. Lines do not wrap, so that the picture has as many rows as lines whatever width the terminal gives to a
 * character. A terminal that became wider or narrower may have moved its lines: then only the cursor itself is right.
 */
export class Picture {
  readonly #screen: RawStream;
  #drawn: { readonly text: string; readonly columns: number | undefined } | undefined;

  constructor(screen: RawStream) {
    this.#screen = screen;
  }

  /** No more lines than the screen has rows; each ends by a line feed but the last. */
  draw(text: string): void {
    const { columns } = this.#screen;
    if (this.#drawn?.text === text && this.#drawn.columns === columns) {
      this.#screen.write(restore);
      return;
    }
    const lines = text.split('\n');
    const body = lines.map((line) => line + eraseLineEnd).join('\n');
    const up = lines.length === 1 ? '' : `\u001b[${lines.length - 1}A`;
    this.#screen.write(`${begin}${this.#back()}${noWrap}${body}${eraseBelow}${wrap}${up}\r${save}${end}`);
    this.#drawn = { text, columns };
  }

  /** The cursor is then where the picture began. */
  clear(): void {
    if (this.#drawn !== undefined) this.#screen.write(`${this.#back()}${eraseBelow}`);
    this.#drawn = undefined;
  }

  /** Others wrote on the screen, as a shell does while a job is stopped: the next picture begins at the cursor. */
  forget(): void {
    this.#drawn = undefined;
  }

  #back(): string {
    if (this.#drawn === undefined) return '\r';
    return this.#drawn.columns === this.#screen.columns ? `${restore}\r` : `\r${eraseBelow}`;
  }
}
