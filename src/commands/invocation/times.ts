import { parseDurationMs } from '../../config/playbook/duration.ts';
import { FettleError } from '../../domain/error.ts';
import type { ReadContext } from './context.ts';
import type { Options } from './options.ts';

/** Milliseconds of an option like `--max-age 6h`; undefined where it is not given. */
export function readDuration(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDurationMs(text);
  if (ms !== undefined) return ms;
  throw new FettleError('usage', `${flag} ${text} is not a duration`, { hint: 'write it like 90s, 10m, 6h or 7d' });
}

/** `--as-of 2026-11-01`, an ISO 8601 time, or a duration ago; now where it is absent. A date alone is its end, UTC. */
export function readAsOf(options: Partial<Options>, context: ReadContext): number {
  return readTime(options.asOf, { flag: '--as-of', timeOfDay: '23:59:59.999' }, context) ?? context.clock.now();
}

/** The same for `--since`, where a date alone is its beginning. */
export function readSince(options: Partial<Options>, context: ReadContext): number | undefined {
  return readTime(options.since, { flag: '--since', timeOfDay: '00:00:00.000' }, context);
}

function readTime(
  text: string | undefined,
  { flag, timeOfDay }: { readonly flag: string; readonly timeOfDay: string },
  context: ReadContext,
): number | undefined {
  if (text === undefined) return undefined;
  const agoMs = parseDurationMs(text);
  if (agoMs !== undefined) return context.clock.now() - agoMs;
  const ms = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T${timeOfDay}Z` : text);
  if (Number.isFinite(ms) && /^\d{4}-\d{2}-\d{2}/.test(text)) return ms;
  throw new FettleError('usage', `${flag} ${text} is not a time`, {
    hint: 'write a date (2026-11-01), an ISO 8601 time (2026-11-01T12:00:00Z) or a duration ago (7d)',
  });
}
