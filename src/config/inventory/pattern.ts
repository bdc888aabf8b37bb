// Ansible's host patterns: how they are written.
import { FettleError } from '../../domain/error.ts';
import { globMatcher } from '../../domain/glob.ts';
import { isIPv6 } from 'node:net';
import { pythonRegex } from './python-regex.ts';

/** Positions in the list of matches: one, negative from the end, or a range, both ends inclusive; without `to` to the last. */
export type Subscript =
  | { readonly kind: 'one'; readonly at: number }
  | { readonly kind: 'range'; readonly from: number; readonly to?: number; readonly separator: string };

/** One part of a pattern: `web`, `&canary`, `!db`, `web*[0]`, `~web\d+`. */
export interface PatternPart {
  readonly text: string;
  readonly kind: 'plain' | 'and' | 'not';
  /** Without its sign and subscript. */
  readonly expression: string;
  readonly subscript?: Subscript;
}

/** Parts in the order in which they are evaluated: plain, then `&`, then `!`. Without a plain one, `all` is put first. */
export function parseParts(texts: readonly string[]): PatternPart[] {
  const parts = texts.map(parsePart);
  const plain = parts.filter(({ kind }) => kind === 'plain');
  if (parts.length > 0 && plain.length === 0) plain.push({ text: 'all', kind: 'plain', expression: 'all' });
  const of = (wanted: PatternPart['kind']): PatternPart[] => parts.filter(({ kind }) => kind === wanted);
  return [...plain, ...of('and'), ...of('not')];
}

/** `,` separates; without one, `:` outside brackets does, unless the whole is an IPv6 address. */
export function splitPattern(pattern: string): readonly string[] {
  const parts = pattern.includes(',') ? pattern.split(',') : splitColons(pattern);
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function splitColons(pattern: string): readonly string[] {
  if (pattern.includes(':') && isIPv6(pattern.replace(/^[!&]/, ''))) return [pattern];
  const parts = colonParts(pattern);
  return parts.length === 0 ? [pattern] : parts;
}

/** Runs without blanks, colons and lone brackets; a bracket that is closed belongs to its run with all that is in it. */
function colonParts(pattern: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at);
    const close = character === '[' ? pattern.indexOf(']', at) : at;
    if (close < 0 || /[\s:\]]/.test(character)) {
      if (part !== '') parts.push(part);
      part = '';
      // None of the brackets that follow is closed either.
      if (close < 0)
        return [
          ...parts,
          ...pattern
            .slice(at)
            .split(/[\s:[]+/)
            .filter((rest) => rest !== ''),
        ];
    } else {
      part += pattern.slice(at, close + 1);
      at = close;
    }
  }
  return part === '' ? parts : [...parts, part];
}

function parsePart(text: string): PatternPart {
  const kind = text.startsWith('!') ? 'not' : text.startsWith('&') ? 'and' : 'plain';
  const bare = (kind === 'plain' ? text : text.slice(1)).trim();
  if (bare === '') throw new FettleError('usage', `the pattern part "${text}" is empty`, { hint: 'as in web:!db' });
  const [, expression, index, from, separator, to] = /^(.+)\[(?:(-?\d+)|(\d+)([:-])(\d*))\]$/.exec(bare) ?? [];
  if (expression === undefined || bare.startsWith('~')) return { text, kind, expression: bare };
  return { text, kind, expression, subscript: subscriptOf(index, [from, separator, to]) };
}

function subscriptOf(
  index: string | undefined,
  [from, separator = ':', to]: readonly (string | undefined)[],
): Subscript {
  if (index !== undefined) return { kind: 'one', at: Number(index) };
  // Ansible takes an end of 0 for none, and the start for the only position.
  if (to !== undefined && to !== '' && Number(to) === 0) return { kind: 'one', at: Number(from) };
  return { kind: 'range', from: Number(from), separator, ...(to === '' ? {} : { to: Number(to) }) };
}

/** Whether a name of a host or group is meant. `~` is a regular expression held against the name's beginning. */
export function matcherOf(expression: string): (name: string) => boolean {
  if (expression.startsWith('~')) {
    const regex = pythonRegex(expression.slice(1));
    return (name) => regex.test(name);
  }
  if (!/[*?[]/.test(expression)) return (name) => name === expression;
  return globMatcher(expression);
}
