import { cleanBlock, cleanLine, plural } from '../../base/text.ts';
import { FettleError } from '../../domain/error.ts';
import { sealUrls } from '../../domain/secret-text.ts';
import type { Output } from './output.ts';

/**
 * An error as text for people: what failed and what to do; several lines, the last one not ended. A stack only with
 * `debug`, with every cause.
 */
export function renderError(error: unknown, output: Output, { debug }: { readonly debug: boolean }): string {
  const { paint } = output.stderr;
  const known = error instanceof FettleError;
  const message = known ? error.message : `internal error: ${error instanceof Error ? error.message : String(error)}`;
  const hint = known ? error.hint : 'run the command again with --debug and report its output';
  const lines = messageLines(sealUrls(message), errorCount(error), output);
  if (hint !== undefined) lines.push(`${paint.bold('hint:')} ${cleanLine(hint)}`);
  if (debug) lines.push(...stackLines(error).map((line) => paint.dim(cleanLine(sealUrls(line)))));
  return lines.join('\n');
}

/** How many errors of files the message lists, see `throwOnErrors`; 0 for any other error. */
function errorCount(error: unknown): number {
  const errors = error instanceof FettleError ? error.details?.['errors'] : undefined;
  return Array.isArray(errors) ? errors.length : 0;
}

/** Errors of files are listed line by line under a heading; one that is about a file as a whole needs none. */
function messageLines(message: string, errors: number, output: Output): string[] {
  const { paint } = output.stderr;
  const lines = cleanBlock(message).split('\n');
  const name = paint.red.bold('fettle:');
  const [first = ''] = lines;
  if (lines.length === 1) return [`${name} ${cleanLine(first)}`];
  const isListed = errors > 1 || (errors === 1 && /^\S.*:\d+:\d+: /.test(first));
  if (!isListed) return [`${name} ${first}`, ...lines.slice(1)];
  return [`${name} ${plural(errors, 'error')} in the configuration`, ...lines];
}

/** No more causes than this: they may form a circle. */
const causeLimit = 8;

function stackLines(error: unknown): string[] {
  const lines: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < causeLimit && current !== undefined && current !== null; depth += 1) {
    const text = current instanceof Error ? (current.stack ?? current.message) : String(current);
    const [first = '', ...rest] = text.split('\n');
    lines.push(`${depth === 0 ? '' : 'caused by: '}${first}`, ...rest);
    current = current instanceof Error ? current.cause : undefined;
  }
  return lines;
}
