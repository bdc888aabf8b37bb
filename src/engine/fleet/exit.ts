import { isDenied, type FettleError } from '../../domain/error.ts';
import { worstExit, type ExitName } from '../../domain/exit.ts';
import { verdictOfError } from '../../domain/outcome.ts';

/** The exit of a flat fan-out: every host well, some failed, or all that failed were not reached. */
export function fanOutExit(
  ends: Iterable<{ readonly error?: FettleError; readonly exitCode?: number | null }>,
): ExitName {
  const all = [...ends];
  const errors = all.flatMap(({ error }) => (error === undefined ? [] : [error]));
  const denied = errors.filter(isDenied);
  if (denied.length > 0 && denied.length === all.length) return 'auth';
  const names = all.map(({ error, exitCode }): ExitName => {
    if (error === undefined) return exitCode === undefined || exitCode === 0 ? 'ok' : 'partial';
    if (error.code === 'cancelled') return 'interrupted';
    if (error.code === 'lock-held') return 'locked';
    return verdictOfError(error) === 'unreachable' ? 'unreachable' : 'partial';
  });
  return worstExit(names);
}
