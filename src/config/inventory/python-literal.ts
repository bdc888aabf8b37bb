// Python literals as `ast.literal_eval` reads them: the type of every value in an INI inventory.
import { exactInteger } from '../yaml/scalars.ts';

/** Of Python's parser, which refuses more. */
const deepest = 199;

/** The value, or undefined where the text is no literal and so stays text. Tuples and sets are lists, bytes are text. */
export function pythonLiteral(text: string): { readonly value: unknown } | undefined {
  const start = text.replace(/^[ \t]+/, '');
  // Most values are words, which no literal begins with.
  if (!/^[-+0-9.'"[({]|^(?:True|False|None|set\(|[bBrRuU]{1,2}['"])/.test(start)) return undefined;
  try {
    return { value: new LiteralReader(start).whole() };
  } catch (error) {
    if (error instanceof NoLiteral) return undefined;
    throw error;
  }
}

class NoLiteral extends Error {}

const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['True', true],
  ['False', false],
  ['None', null],
]);
const number =
  /(?:(?:[0-9](?:_?[0-9])*)?\.[0-9](?:_?[0-9])*|[0-9](?:_?[0-9])*\.?)(?:[eE][-+]?[0-9](?:_?[0-9])*)?|0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+/y;
const based = /0(?:[xX](?:_?[0-9a-fA-F])+|[oO](?:_?[0-7])+|[bB](?:_?[01])+)/y;
const closing = { '[': ']', '(': ')', '{': '}' } as const;

class LiteralReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): unknown {
    let value = this.#value();
    if (this.#takes(',')) value = [value, ...this.#items('')];
    if (this.#at < this.#text.length) throw new NoLiteral();
    return value;
  }

  /** Past blanks and comments; the text is one line unless brackets or quotes hold others. */
  #skip(): void {
    const blank = this.#depth > 0 ? /(?:[ \t\f\r\n]|#[^\n]*)+/y : /[ \t\f]*(?:#.*$)?/y;
    blank.lastIndex = this.#at;
    this.#at += blank.exec(this.#text)?.[0].length ?? 0;
  }

  #takes(token: string): boolean {
    this.#skip();
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    this.#skip();
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #value(): unknown {
    this.#skip();
    const next = this.#text.charAt(this.#at);
    if (next === '[' || next === '(' || next === '{') return this.#collection(next);
    if (next === '-' || next === '+') {
      this.#at += 1;
      this.#skip();
      return this.#number(next);
    }
    if (/[0-9.]/.test(next)) return this.#number('');
    const strings = this.#strings();
    if (strings !== undefined) return strings;
    const word = this.#match(/[A-Za-z_]\w*/y) ?? '';
    if (word === 'set' && this.#takes('(') && this.#takes(')')) return [];
    if (!words.has(word)) throw new NoLiteral();
    this.#skip();
    return words.get(word);
  }

  #number(sign: string): number | string {
    const written = this.#match(based) ?? this.#match(number);
    const follows = this.#text.charAt(this.#at);
    // Of a sum, of imaginary numbers and of names that begin with digits there is no value here.
    if (written === undefined || /[\w.]/.test(follows)) throw new NoLiteral();
    this.#skip();
    const digits = written.replaceAll('_', '');
    if (/^0[xob]|^[0-9]+$/i.test(digits)) {
      if (/^0+[1-9]/.test(digits) || digits.length > 4300) throw new NoLiteral();
      const value = BigInt(digits);
      return exactInteger(sign === '-' ? -value : value);
    }
    return sign === '-' ? -Number(digits) : Number(digits);
  }

  #collection(open: '[' | '(' | '{'): unknown {
    this.#at += 1;
    this.#depth += 1;
    if (this.#depth > deepest) throw new NoLiteral();
    const value = open === '{' ? this.#braces() : this.#bracketed(closing[open]);
    this.#depth -= 1;
    this.#skip();
    return value;
  }

  #bracketed(close: ']' | ')'): unknown {
    if (close === ']') return this.#items(close);
    if (this.#takes(close)) return [];
    const first = this.#value();
    if (this.#takes(',')) return [first, ...this.#items(close)];
    if (!this.#takes(close)) throw new NoLiteral();
    return first;
  }

  /** Values with commas between them and possibly one behind the last, up to `close` or, where that is empty, the end. */
  #items(close: string): unknown[] {
    const items: unknown[] = [];
    const ends = (): boolean => (close === '' ? this.#at >= this.#text.length : this.#takes(close));
    while (!ends()) {
      items.push(this.#value());
      if (this.#takes(',')) continue;
      if (!ends()) throw new NoLiteral();
      break;
    }
    return items;
  }

  #braces(): unknown {
    if (this.#takes('}')) return {};
    const first = this.#value();
    if (!this.#takes(':')) return this.#takes(',') ? [first, ...this.#items('}')] : this.#endOfSet([first]);
    const entries: [string, unknown][] = [[keyText(first), this.#value()]];
    while (!this.#takes('}')) {
      if (!this.#takes(',')) throw new NoLiteral();
      if (this.#takes('}')) break;
      const key = this.#value();
      if (!this.#takes(':')) throw new NoLiteral();
      entries.push([keyText(key), this.#value()]);
    }
    return Object.fromEntries(entries);
  }

  #endOfSet(items: readonly unknown[]): readonly unknown[] {
    if (!this.#takes('}')) throw new NoLiteral();
    return items;
  }

  /** One string or several beside each other. */
  #strings(): string | undefined {
    let all: string | undefined;
    let areBytes: boolean | undefined;
    for (let part = this.#string(); part !== undefined; part = this.#string()) {
      if ((areBytes ??= part.isBytes) !== part.isBytes) throw new NoLiteral();
      all = (all ?? '') + part.text;
      this.#skip();
    }
    return all;
  }

  #string(): { readonly text: string; readonly isBytes: boolean } | undefined {
    const opening = this.#match(/(?:[rR][bB]?|[bB][rR]?|[uU])?(?:'''|"""|'|")/y);
    if (opening === undefined) return undefined;
    const length = opening.search(/['"]/);
    const [prefix, quote] = [opening.slice(0, length), opening.slice(length)];
    let end = this.#at;
    while (!this.#text.startsWith(quote, end)) {
      if (end >= this.#text.length) throw new NoLiteral();
      end += this.#text.charAt(end) === '\\' ? 2 : 1;
    }
    const written = this.#text.slice(this.#at, end);
    this.#at = end + quote.length;
    const isBytes = /b/i.test(prefix);
    return { text: /r/i.test(prefix) ? written : unescape(written, isBytes), isBytes };
  }
}

/** What a letter behind a backslash stands for. */
export const letters: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  ...letters,
  '\n': '',
};

function unescape(text: string, isBytes: boolean): string {
  if (!isBytes && /(?:^|[^\\])(?:\\\\)*\\N/.test(text)) throw new NoLiteral();
  return text.replace(
    /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([^]))/g,
    (whole: string, octal?: string, byte?: string, short?: string, long?: string, letter?: string) => {
      const other = letter ?? '';
      const isUnicode = short !== undefined || long !== undefined;
      if (isBytes && isUnicode) return whole;
      if (/^[xuU]$/.test(other) && !(isBytes && other !== 'x')) throw new NoLiteral();
      const hexadecimal = byte ?? short ?? long;
      const code = octal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number.parseInt(octal, 8);
      if (Number.isNaN(code)) return escapes[other] ?? whole;
      if (code > 0x10_ff_ff) throw new NoLiteral();
      return String.fromCodePoint(code);
    },
  );
}

/** A key of a mapping as JSON writes it. */
function keyText(key: unknown): string {
  if (typeof key === 'object' && key !== null) throw new NoLiteral();
  return String(key);
}
