/**
 * Words of a command line as sh(1) splits them: blanks separate, quotes and backslashes keep together. Nothing is
 * expanded. Undefined when unclosed quote.
 */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (quote === "'") {
      if (char === "'") quote = '';
      else word += char;
    } else if (char === '\\') {
      at += 1;
      const next = text.charAt(at);
      if (next === '') return undefined;
      word = (word ?? '') + (quote === '"' && !/["\\$`]/.test(next) ? char + next : next);
    } else if (quote === '"') {
      if (char === '"') quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== '') return undefined;
  return word === undefined ? words : [...words, word];
}
