export interface Word {
  readonly text: string;
  /** Where in the line it begins, from 0. */
  readonly at: number;
}

/** Words as Python's `shlex.split` makes them; undefined where a quote is unclosed or the text ends with a backslash. */
export function splitWords(text: string): string[] | undefined {
  return wordsOf(text)?.map((word) => word.text);
}

/**
 * The same with their places. Blanks separate, quotes and backslashes keep together, nothing is expanded; with `comments`
 * an unquoted `#` ends the line, inside of a word too.
 */
export function wordsOf(text: string, { comments = false } = {}): Word[] | undefined {
  const words: Word[] = [];
  let word: string | undefined;
  let [quote, start] = ['', 0];
  const end = (): void => {
    if (word !== undefined) words.push({ text: word, at: start });
    word = undefined;
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (word === undefined) start = at;
    if (quote === '' && ' \t\r\n'.includes(char)) end();
    else if (quote === '' && comments && char === '#') break;
    else if (char === quote) quote = '';
    else if (quote !== "'" && char === '\\') {
      at += 1;
      if (at >= text.length) return undefined;
      const next = text.charAt(at);
      word = (word ?? '') + (quote === '"' && next !== '"' && next !== '\\' ? char + next : next);
    } else if (quote === '' && (char === '"' || char === "'")) {
      quote = char;
      word ??= '';
    } else word = (word ?? '') + char;
  }
  if (quote !== '') return undefined;
  end();
  return words;
}
