// Regular expressions of patterns (`~web\d+`) are Python's, held against the beginning of a name.
import { FettleError } from '../../domain/error.ts';

/** `FettleError('usage')` for what is none, or has no counterpart in JavaScript. */
export function pythonRegex(source: string): RegExp {
  const [whole, letters = ''] = /^\(\?([aiLmsux]+)\)/.exec(source) ?? [''];
  const flags = ['i', 'm', 's'].filter((flag) => letters.includes(flag)).join('');
  try {
    return new RegExp(`^(?:${translated(source.slice(whole.length))})`, `u${flags}`);
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? cause.message.replace(/^.*: /, '') : '';
    throw new FettleError('usage', `"~${source}" is not a regular expression`, {
      hint: `${reason === '' ? 'it is broken' : reason}; put the pattern in quotes, so that the shell leaves it as it is`,
      cause,
    });
  }
}

/** Spellings of Python that JavaScript lacks: `\A`, `\Z`, `(?P<name>…)`, `(?P=name)`, `(?#…)`, `{,n}`, escaped punctuation. */
function translated(source: string): string {
  let made = '';
  for (let at = 0; at < source.length;) {
    const [from, to] = tokenAt(source, at);
    made += to;
    at += from.length;
  }
  return made;
}

/** What stands at a place, and how JavaScript writes it. */
function tokenAt(source: string, at: number): readonly [from: string, to: string] {
  const [character, two] = [source.charAt(at), source.slice(at, at + 2)];
  if (character === '\\') return [two, escape(two)];
  if (character === '[') return setAt(source, at);
  if (character === '{') return boundsAt(source, at);
  if (source.startsWith('(?#', at)) return [source.slice(at, endOf(source, ')', at)), ''];
  if (source.startsWith('(?P<', at)) return ['(?P<', '(?<'];
  if (source.startsWith('(?P=', at)) {
    const name = source.slice(at, endOf(source, ')', at));
    return [name, `\\k<${name.slice(4, -1)}>`];
  }
  return [character, character === '}' || character === ']' ? `\\${character}` : character];
}

/** Behind the next `close`; the end of the text where there is none. */
function endOf(source: string, close: string, at: number): number {
  const end = source.indexOf(close, at);
  return end < 0 ? source.length : end + 1;
}

/** `{2}`, `{2,}`, `{,2}`; any other brace means itself. */
function boundsAt(source: string, at: number): readonly [from: string, to: string] {
  const text = source.slice(at, Math.min(endOf(source, '}', at), at + 20));
  if (/^\{\d+(?:,\d*)?\}$/.test(text)) return [text, text];
  return /^\{,\d+\}$/.test(text) ? [text, `{0${text.slice(1)}`] : ['{', '\\{'];
}

/** A set of characters: a bracket in it, and a `]` at its beginning, means itself. */
function setAt(source: string, at: number): readonly [from: string, to: string] {
  let made = source.charAt(at + 1) === '^' ? '[^' : '[';
  const first = at + made.length;
  for (let next = first; next < source.length; next += 1) {
    const character = source.charAt(next);
    if (character === ']' && next > first) return [source.slice(at, next + 1), `${made}]`];
    if (character === '\\') {
      next += 1;
      const two = character + source.charAt(next);
      made += two === String.raw`\-` ? two : escape(two);
    } else made += character === '[' || character === ']' ? `\\${character}` : character;
  }
  return [source.slice(at), source.slice(at)];
}

/** A backslash with what follows it: JavaScript allows it before less. */
function escape(two: string): string {
  if (two === String.raw`\A`) return '^';
  if (two === String.raw`\Z`) return '$';
  const character = two.slice(1);
  if (/[\w\s]/.test(character) || /[\^$\\.*+?()[\]{}|/]/.test(character)) return two;
  return character;
}
