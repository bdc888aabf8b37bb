import { parseDurationMs } from '../config/duration.ts';
import { FettleError } from '../domain/error.ts';
import type { Context } from './context.ts';
import type { Options } from './options.ts';

/** `--as-of 2026-11-01`, an ISO 8601 time, or a duration ago; now where it is absent. A date alone is its end, UTC. */
export function readAsOf(options: Partial<Options>, context: Context): number {
  const text = options.asOf;
  if (text === undefined) return context.clock.now();
  const agoMs = parseDurationMs(text);
  if (agoMs !== undefined) return context.clock.now() - agoMs;
  const ms = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T23:59:59.999Z` : text);
  if (Number.isFinite(ms) && /^\d{4}-\d{2}-\d{2}/.test(text)) return ms;
  throw new FettleError('usage', `--as-of ${text} is no time`, {
    hint: 'write a date (2026-11-01), an ISO 8601 time (2026-11-01T12:00:00Z) or a duration ago (7d)',
  });
}
