// What a person sees: the bytes that were written to a terminal, drawn as xterm does (ctlseqs), for what fettle writes.
import stringWidth from 'string-width';

const sequence = /\u001b(?:(?<dec>[78])|\[(?<parameters>[?\d;]*)(?<final>[A-Za-z]))|(?<character>[^])/gu;

export class Screen {
  readonly #columns: number;
  readonly #rows: number;
  readonly #lines: string[][] = [[]];
  #top = 0;
  #row = 0;
  #column = 0;
  #saved = { row: 0, column: 0 };
  #wraps = true;

  constructor({ columns = 80, rows = 24 }: { readonly columns?: number; readonly rows?: number } = {}) {
    this.#columns = columns;
    this.#rows = rows;
  }

  write(text: string): void {
    for (const { groups } of text.matchAll(sequence)) {
      const { dec, parameters = '', final, character } = groups ?? {};
      if (dec === '7') this.#saved = { row: this.#row, column: this.#column };
      else if (dec === '8') ({ row: this.#row, column: this.#column } = this.#saved);
      else if (final !== undefined) this.#control(final, parameters);
      else if (character === '\r') this.#column = 0;
      else if (character === '\n') this.#down();
      else if (character !== undefined) this.#put(character);
    }
  }

  /** All lines, with those that went off the top, up to the last that is not empty. */
  lines(): string[] {
    const all = this.#lines.map((cells) =>
      Array.from(cells, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
    return all.slice(0, all.findLastIndex((line) => line !== '') + 1);
  }

  #control(final: string, parameters: string): void {
    if (final === 'A') this.#row = Math.max(0, this.#row - (Number(parameters) || 1));
    else if (final === 'K' || final === 'J') {
      this.#cells().length = Math.min(this.#cells().length, this.#column);
      if (final === 'J') this.#lines.length = this.#top + this.#row + 1;
    } else if (parameters === '?7') this.#wraps = final === 'h';
    else if (parameters !== '?2026' && parameters !== '?25' && final !== 'm') {
      throw new Error(`the screen does not know ${JSON.stringify(parameters + final)}`);
    }
  }

  #cells(): string[] {
    const at = this.#top + this.#row;
    while (this.#lines.length <= at) this.#lines.push([]);
    return this.#lines[at] ?? [];
  }

  #down(): void {
    this.#column = 0;
    if (this.#row === this.#rows - 1) this.#top += 1;
    else this.#row += 1;
    this.#cells();
  }

  #put(character: string): void {
    const width = stringWidth(character);
    if (this.#column + width > this.#columns && this.#wraps) this.#down();
    this.#column = Math.min(this.#column, this.#columns - width);
    this.#cells()[this.#column] = character;
    if (width === 2) this.#cells()[this.#column + 1] = '';
    this.#column += width;
  }
}
