import { accessSync, constants, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { FettleError } from '../../domain/error.ts';

export interface LedgerPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number | undefined;
  /** Only called where nothing else sets the path. */
  readonly homeDir: () => string;
  /** Tests hand in their own. */
  readonly isWritable?: (directory: string) => boolean;
}

const systemDirectory = '/var/lib/fettle';

/** FETTLE_LEDGER, else the system's directory for root and whoever may write it, else the XDG state directory. */
export function defaultLedgerPath({ env, uid, homeDir, isWritable = canWrite }: LedgerPlace): string {
  const named = env['FETTLE_LEDGER'];
  if (named !== undefined && named !== '') return named;
  if (uid === 0 || isWritable(systemDirectory)) return join(systemDirectory, 'ledger.db');
  const state = env['XDG_STATE_HOME'];
  return join(state === undefined || state === '' ? join(homeDir(), '.local/state') : state, 'fettle/ledger.db');
}

function canWrite(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** statfs(2) f_type of file systems whose locks do not hold between machines. */
const networkFileSystems: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB',
  0x517b: 'SMB',
  0x5346414f: 'AFS',
  0x47504653: 'GPFS',
  0x0bd00bd0: 'Lustre',
};

/** SQLite's locks are not to be trusted there; two controllers would break the chain. */
export function refuseNetworkFileSystem(directory: string, typeOf: (path: string) => number = fileSystemType): void {
  const name = networkFileSystems[typeOf(directory)];
  if (name === undefined) return;
  throw new FettleError('ledger', `the ledger must not be on a network file system (${directory} is ${name})`, {
    hint: 'choose a local path with --ledger or FETTLE_LEDGER',
  });
}

function fileSystemType(path: string): number {
  return statfsSync(path).type >>> 0;
}
