import { cleanBlock, cleanLine } from '../../base/text.ts';
import { FettleError } from '../../domain/error.ts';
import { sealUrls } from '../../domain/secret-text.ts';
import type { Output } from './output.ts';

/**
 * What a person sees of an error: what failed and what to do; several lines, the last one not ended. A stack only with
 * `debug`, with every cause.
 */
export function renderError(error: unknown, output: Output, { debug }: { readonly debug: boolean }): string {
  const { paint } = output.stderr;
  const known = error instanceof FettleError;
  const message = known ? error.message : `internal error: ${error instanceof Error ? error.message : String(error)}`;
  const hint = known ? error.hint : 'run the command again with --debug and report its output';
  const lines = [...messageLines(sealUrls(message), output)];
  if (hint !== undefined) lines.push(`${paint.bold('hint:')} ${cleanLine(hint)}`);
  if (debug) lines.push(...stackLines(error).map((line) => paint.dim(cleanLine(sealUrls(line)))));
  return lines.join('\n');
}

/** Diagnostics come as places with excerpts, line by line; a single sentence stays one line. */
function messageLines(message: string, output: Output): string[] {
  const { paint } = output.stderr;
  const lines = cleanBlock(message).split('\n');
  const name = paint.red.bold('fettle:');
  const [first = ''] = lines;
  if (lines.length === 1) return [`${name} ${cleanLine(first)}`];
  const isPlace = /^\S.*:\d+:\d+: /.test(first);
  const errors = lines.filter((line) => /^\S.*:\d+:\d+: /.test(line)).length;
  const head = isPlace ? `${name} ${errors === 1 ? 'a file is wrong' : `files are wrong in ${errors} places`}` : name;
  return isPlace ? [head, ...lines] : [`${head} ${first}`, ...lines.slice(1)];
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
