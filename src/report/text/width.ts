import { createRequire } from 'node:module';
import type stringWidth from 'string-width';
import { ellipsis } from '../../base/text.ts';

const requireHere = createRequire(import.meta.url);
/** Loaded for the first text beyond ASCII: its patterns of emoji take longer to read than most runs to be shown. */
let measure: typeof stringWidth | undefined;

/** Terminal columns; wide and combining characters counted as terminals draw them. */
export function widthOf(text: string): number {
  if (!/[^ -~]/.test(text)) return text.length;
  measure ??= (requireHere('string-width') as { readonly default: typeof stringWidth }).default;
  return measure(text);
}

/** At most `columns` wide. */
export function fit(text: string, columns: number): string {
  return ellipsis(text, columns, widthOf);
}

/** Exactly `columns` wide: cut or filled with spaces. */
export function fill(text: string, columns: number): string {
  const cut = fit(text, columns);
  return cut + ' '.repeat(Math.max(0, columns - widthOf(cut)));
}

/** Words in lines of at most `columns`; a word that is longer is split. Without a limit one line. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of text.split(' ').flatMap((long) => split(long, columns))) {
    const width = widthOf(word);
    if (line !== '' && used + 1 + width > columns) {
      lines.push(line);
      line = word;
      used = width;
    } else {
      used += (line === '' ? 0 : 1) + width;
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function split(word: string, columns: number): string[] {
  if (widthOf(word) <= columns) return [word];
  const parts: string[] = [];
  let part = '';
  let used = 0;
  for (const { segment } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(word)) {
    const width = widthOf(segment);
    if (part !== '' && used + width > columns) {
      parts.push(part);
      part = '';
      used = 0;
    }
    part += segment;
    used += width;
  }
  return [...parts, part];
}
