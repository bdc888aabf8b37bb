// `key=value key="a b"` as Ansible splits it (parse_kv of its parsing/splitter.py).
import { letters } from './python-literal.ts';

/** Undefined for a word without `=`, an open quote and an open template. Values are text. */
export function keyValues(text: string): readonly (readonly [name: string, value: string])[] | undefined {
  const words = joinedWords(text)?.map(decoded);
  if (words === undefined) return undefined;
  const pairs: (readonly [string, string])[] = [];
  for (const word of words) {
    const at = equalsOf(word);
    const name = word.slice(0, Math.max(0, at)).trim();
    if (name === '' || /\s/.test(name)) return undefined;
    pairs.push([name, unquoted(word.slice(at + 1).trim())]);
  }
  return pairs.length === 0 ? undefined : pairs;
}

const blocks = [
  ['{{', '}}'],
  ['{%', '%}'],
  ['{#', '#}'],
] as const;

/** Words between blanks, put together again where a quote or a template is open; quotes stay. */
function joinedWords(text: string): string[] | undefined {
  const words: string[][] = [];
  let quote = '';
  const depths = [0, 0, 0];
  for (const [part = '', blank = '', word = ''] of text.matchAll(/([ \n]?)([^ \n]*)/g)) {
    const isOpen = quote !== '' || depths.some((depth) => depth > 0);
    if (isOpen) words.at(-1)?.push(part);
    else if (word !== '') words.push([word]);
    quote = quoteBehind(word, blank, quote);
    for (const [at, [open, close]] of blocks.entries()) {
      depths[at] = Math.max(0, (depths[at] ?? 0) + word.split(open).length - word.split(close).length);
    }
  }
  const isClosed = quote === '' && depths.every((depth) => depth === 0);
  return isClosed ? words.map((parts) => parts.join('')) : undefined;
}

function quoteBehind(word: string, before: string, quote: string): string {
  let [open, previous] = [quote, before];
  for (const character of word) {
    if ((character === '"' || character === "'") && previous !== '\\') {
      if (open === '') open = character;
      else if (open === character) open = '';
    }
    previous = character;
  }
  return open;
}

/** The first `=` that is neither at the beginning nor behind a backslash. */
function equalsOf(word: string): number {
  let at = word.indexOf('=', 1);
  while (at > 0 && word.charAt(at - 1) === '\\') at = word.indexOf('=', at + 1);
  return at;
}

function unquoted(text: string): string {
  const quote = text.charAt(0);
  const isQuoted = text.length > 1 && (quote === '"' || quote === "'") && text.endsWith(quote) && text.at(-2) !== '\\';
  return isQuoted ? text.slice(1, -1) : text;
}

function decoded(word: string): string {
  return word.replace(
    /\\(?:U([0-9a-fA-F]{8})|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-7]{1,3})|([\\'"abfnrtv]))/g,
    (whole: string, long?: string, short?: string, byte?: string, octal?: string, letter?: string) => {
      if (letter !== undefined) return letters[letter] ?? letter;
      const hexadecimal = long ?? short ?? byte;
      const code = hexadecimal === undefined ? Number.parseInt(octal ?? '0', 8) : Number.parseInt(hexadecimal, 16);
      return code > 0x10_ff_ff ? whole : String.fromCodePoint(code);
    },
  );
}
