import { exitCodes, type ExitName } from '../domain/exit.ts';
import { exitOfCode, FettleError } from '../domain/error.ts';

/** How a command that ended with this error exits. */
export function exitNameOf(error: unknown): ExitName {
  return error instanceof FettleError ? exitOfCode(error.code) : 'internal';
}

/** `--ok changes,locked`: these names exit 0. */
export function exitCodeOf(name: ExitName, accepted: string | undefined): number {
  const names = new Set((accepted ?? '').split(',').map((word) => word.trim()));
  for (const word of names) {
    if (word !== '' && !(word in exitCodes)) {
      throw new FettleError('usage', `--ok does not know the exit name "${word}"`, {
        hint: `one of ${Object.keys(exitCodes).join(', ')}`,
      });
    }
  }
  return names.has(name) ? 0 : exitCodes[name];
}
