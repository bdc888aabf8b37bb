// Which hosts a pattern means.
import { readFileSync } from 'node:fs';
import { fileProblem } from '../../base/file-problem.ts';
import { FettleError } from '../../domain/error.ts';
import type { Inventory } from './model.ts';
import { suggestion } from '../yaml/suggestion.ts';
import { matcherOf, parseParts, splitPattern, type PatternPart, type Subscript } from './pattern.ts';

export interface Selection {
  /** A pattern; `all` when absent. */
  readonly select?: string;
  /** A second pattern that only narrows. */
  readonly limit?: string;
  /** Parts that match nothing are no error. A selection without any host always is one. */
  readonly allowMissing?: boolean;
}

/** Selected hosts in the order of the inventory, never none. `FettleError('usage')`. */
export function selectHosts(
  inventory: Inventory,
  { select = 'all', limit, allowMissing = false }: Selection,
): readonly string[] {
  const selected = evaluate(inventory, select, allowMissing);
  const limited = limit === undefined ? undefined : evaluate(inventory, limit, allowMissing);
  const names = [...inventory.hosts.keys()].filter((name) => selected.has(name) && limited?.has(name) !== false);
  if (names.length > 0) return names;
  const narrowed = limit === undefined ? '' : `, narrowed by "${limit}"`;
  throw new FettleError('usage', `the pattern "${select}"${narrowed} selects no host`, {
    hint: 'list hosts and groups with: fettle inventory graph',
  });
}

/** Hosts that the pattern matches, possibly none with `allowMissing`; else a part without a match is `FettleError('usage')`. */
export function matchHosts(
  inventory: Inventory,
  pattern: string,
  { allowMissing = false }: Pick<Selection, 'allowMissing'> = {},
): ReadonlySet<string> {
  return evaluate(inventory, pattern, allowMissing);
}

function evaluate(inventory: Inventory, pattern: string, allowMissing: boolean): ReadonlySet<string> {
  const trimmed = pattern.trim();
  const isFile = trimmed.startsWith('@') && !trimmed.includes(',');
  const texts = isFile ? [trimmed] : splitPattern(trimmed);
  const parts = parseParts(texts.flatMap((text) => (text.startsWith('@') ? fromFile(text.slice(1)) : [text])));
  if (parts.length === 0) {
    throw new FettleError('usage', 'the pattern is empty', { hint: 'use all to mean every host' });
  }
  let chosen = new Set<string>();
  for (const part of parts) {
    const matched = new Set(matchPart(inventory, part, allowMissing));
    if (part.kind === 'plain') for (const name of matched) chosen.add(name);
    else chosen = new Set([...chosen].filter((name) => matched.has(name) === (part.kind === 'and')));
  }
  return chosen;
}

/** One pattern a line; blank lines and `#` are left out. */
function fromFile(file: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new FettleError('usage', `the pattern file ${file} cannot be opened: ${fileProblem(cause)}`, { cause });
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const patterns = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (patterns.length === 0) throw new FettleError('usage', `the pattern file ${file} is empty`);
  return patterns.flatMap(splitPattern);
}

function matchPart(inventory: Inventory, part: PatternPart, allowMissing: boolean): readonly string[] {
  // A name that a host and a group have means the host, but only here.
  if (part.kind === 'plain' && inventory.hosts.has(part.text)) return [part.text];
  const matches = matcherOf(part.expression);
  const groups = [...inventory.groups.keys()].filter(matches);
  // With its doubles, which subscripts count: a host once for each group that matches, once more where its name does.
  const hosts = groups.flatMap((group) => [...hostsOf(inventory, group)]);
  const isOpen = /^~|[.?*[]/.test(part.expression);
  if (groups.length === 0 || isOpen) for (const name of inventory.hosts.keys()) if (matches(name)) hosts.push(name);
  if (groups.length === 0 && hosts.length === 0 && !allowMissing) throw missing(inventory, part);
  if (part.subscript === undefined) return hosts;
  const taken = take(hosts, part.subscript);
  if (taken.length > 0 || allowMissing) return taken;
  throw new FettleError('usage', `"${part.text}" selects no host: there are ${hosts.length}`, {
    hint: 'positions count from 0',
  });
}

function take(hosts: readonly string[], subscript: Subscript): readonly string[] {
  if (subscript.kind === 'range') {
    return hosts.slice(subscript.from, subscript.to === undefined ? undefined : subscript.to + 1);
  }
  const one = hosts.at(subscript.at);
  return one === undefined ? [] : [one];
}

/** Hosts of a group, its own before those of its children, as subscripts count them. */
function hostsOf(inventory: Inventory, group: string): ReadonlySet<string> {
  const names = new Set<string>();
  const seen = new Set([group]);
  for (const name of seen) {
    const found = inventory.groups.get(name);
    for (const host of found?.hosts ?? []) names.add(host);
    for (const child of found?.children ?? []) seen.add(child);
  }
  return names;
}

function missing(inventory: Inventory, { text, expression, subscript }: PatternPart): FettleError {
  const isFolded = /\[\d+-\d+\]/.test(expression);
  const near = suggestion(expression, [...inventory.groups.keys(), ...inventory.hosts.keys()]);
  const hint =
    subscript?.kind === 'range' && subscript.separator === '-'
      ? `brackets at the end are positions, of the hosts that "${expression}" matches; a set of characters is ${text}*`
      : isFolded
        ? 'brackets are a set of characters in a pattern: name the hosts with commas or *'
        : (near ?? 'list hosts and groups with: fettle inventory graph');
  return new FettleError('usage', `"${text}" matches no host and no group`, { hint, details: { pattern: text } });
}
