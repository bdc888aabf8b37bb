import { exitCodes, type ExitName } from '../../domain/exit.ts';
import { exitOfCode, FettleError } from '../../domain/error.ts';

/** How a command that ended with this error exits. */
export function exitNameOf(error: unknown): ExitName {
  return error instanceof FettleError ? exitOfCode(error.code) : 'internal';
}

/**
 * `--ok changes,locked`: the exit names that exit 0. Judged before anything is done.
 * @throws FettleError `usage` for a name that does not exist.
 */
export function acceptedExits(written: string | undefined): ReadonlySet<ExitName> {
  const words = (written ?? '').split(',').map((word) => word.trim());
  const names = words.filter((word) => word !== '');
  const strange = names.filter((word) => !isExitName(word));
  if (strange.length === 0) return new Set(names.filter(isExitName));
  throw new FettleError('usage', `--ok does not know the exit name "${strange.join('", "')}"`, {
    hint: `one of ${Object.keys(exitCodes).join(', ')}`,
  });
}

function isExitName(word: string): word is ExitName {
  return Object.hasOwn(exitCodes, word);
}

export function exitCodeOf(name: ExitName, accepted: ReadonlySet<ExitName>): number {
  return accepted.has(name) ? 0 : exitCodes[name];
}
