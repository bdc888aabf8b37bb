import type { ErrorCode } from '../domain/error.ts';
import { exitCodes, type ExitName } from '../domain/exit.ts';
import { FettleError } from '../domain/error.ts';

const exitOfError: Readonly<Partial<Record<ErrorCode, ExitName>>> = {
  usage: 'usage',
  config: 'usage',
  secret: 'usage',
  connect: 'unreachable',
  timeout: 'unreachable',
  lost: 'partial',
  auth: 'auth',
  'host-key': 'auth',
  elevate: 'auth',
  command: 'partial',
  parse: 'partial',
  'lock-held': 'locked',
  disk: 'partial',
  drifted: 'partial',
  reboot: 'unverified',
  verify: 'unverified',
  ledger: 'ledger',
  window: 'closed',
  budget: 'stopped',
  approval: 'refused',
  cancelled: 'interrupted',
};

/** How a command that ended with this error exits. */
export function exitNameOf(error: unknown): ExitName {
  return error instanceof FettleError ? (exitOfError[error.code] ?? 'internal') : 'internal';
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
