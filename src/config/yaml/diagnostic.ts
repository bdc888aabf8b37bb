import { FettleError } from '../../domain/error.ts';
import { sealText, secretName } from '../../domain/secret-text.ts';

/** Where something is written. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The line itself with secrets cut off; empty where there is none to show. */
  readonly excerpt: string;
}

/** Something in a file that is wrong (`error`), or that has no effect and does no harm (`warning`). */
export interface Diagnostic extends Pick<Place, 'file'>, Partial<Omit<Place, 'file'>> {
  // Without line and column it is about the file as a whole, such as one that does not exist.
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly hint?: string;
  /** About something that decides nothing: only `inventory lint` reports it. */
  readonly lintOnly?: true;
}

const unprintable = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** `file:line:column: message`, the line with a caret under the place, and the hint; `file: message` for a whole file. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, message, hint } = diagnostic;
  const where = line === undefined || column === undefined ? file : `${file}:${line}:${column}`;
  const lines = [`${where}: ${severity === 'warning' ? 'warning: ' : ''}${message}`, ...excerptLines(diagnostic)];
  if (hint !== undefined) lines.push(`  hint: ${hint}`);
  return lines.map((text) => text.replace(unprintable, ' ')).join('\n');
}

function excerptLines({ line, column = 1, excerpt = '' }: Diagnostic): readonly string[] {
  if (line === undefined || excerpt === '') return [];
  const gutter = String(line);
  const text = `  ${gutter} | ${excerpt}`;
  return column > excerpt.length ? [text] : [text, `  ${' '.repeat(gutter.length)} | ${' '.repeat(column - 1)}^`];
}

const shownAtMost = 20;

/** `FettleError('config')` with every error in its message, when there is one; warnings do not throw. */
export function throwOnErrors(diagnostics: readonly Diagnostic[]): void {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  if (errors.length === 0) return;
  const shown = errors.slice(0, shownAtMost).map(formatDiagnostic);
  if (errors.length > shown.length) shown.push(`and ${errors.length - shown.length} more errors`);
  throw new FettleError('config', shown.join('\n'), {
    details: { errors: errors.map(({ file, line, column, message }) => ({ file, line, column, message })) },
  });
}

const excerptLimit = 160;
/** As much of a line as is searched for secrets: more than is shown. */
const searchedLength = 400;

/** The place of a line and column in a text; the excerpt never holds a secret's value or a control character. */
export function placeIn(file: string, lines: readonly string[], at: { line: number; column: number }): Place {
  const known = excerpts.get(lines) ?? new Map<number, string>();
  excerpts.set(lines, known);
  const excerpt = known.get(at.line) ?? excerptOf(lines, at.line - 1);
  known.set(at.line, excerpt);
  return { file, line: at.line, column: at.column, excerpt };
}

/** Each line's once, however many places it has: a file may be a single line. */
const excerpts = new WeakMap<readonly string[], Map<number, string>>();

function excerptOf(lines: readonly string[], at: number): string {
  const text = (lines[at] ?? '').slice(0, searchedLength);
  const cut = isUnderSecret(lines, at) ? '***' : withoutSecrets(text);
  const printable = cut.replace(unprintable, ' ').trimEnd();
  return printable.length > excerptLimit ? `${printable.slice(0, excerptLimit)}…` : printable;
}

function withoutSecrets(text: string): string {
  for (const found of text.matchAll(/[:=]/g)) {
    const value = text.slice(found.index + 1).trimStart();
    if (value === '' || !secretName.test(keyBefore(text, found.index))) continue;
    return `${text.slice(0, text.length - value.length)}***`;
  }
  return sealText(text);
}

/** The name that stands before a `:` or `=`, in quotes or not. */
function keyBefore(text: string, at: number): string {
  const isKey = (index: number): boolean => /[\w.-]/.test(text.charAt(index));
  let end = at;
  while (/\s/.test(text.charAt(end - 1))) end -= 1;
  if (/["']/.test(text.charAt(end - 1))) end -= 1;
  let start = end;
  while (isKey(start - 1)) start -= 1;
  return text.slice(start, end);
}

const secretLines = new WeakMap<readonly string[], readonly boolean[]>();

/** True for the continuation of a value whose key, on an earlier and less indented line, is a secret's. */
function isUnderSecret(lines: readonly string[], at: number): boolean {
  const known = secretLines.get(lines) ?? findSecretLines(lines);
  secretLines.set(lines, known);
  return known[at] === true;
}

/** One pass for all lines, so that a place costs the same in a file of any length. */
function findSecretLines(lines: readonly string[]): boolean[] {
  const open: { readonly indent: number; readonly isSecret: boolean }[] = [];
  return lines.map((text) => {
    const indent = indentOf(text);
    if (text.trim() === '') return open.at(-1)?.isSecret === true;
    while ((open.at(-1)?.indent ?? -1) >= indent) open.pop();
    const isBelow = open.at(-1)?.isSecret === true;
    const key = /^\s*(?:-\s+)?["']?([\w.-]+)["']?\s*:/.exec(text)?.[1];
    open.push({ indent, isSecret: isBelow || (key !== undefined && secretName.test(key)) });
    return isBelow;
  });
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}
