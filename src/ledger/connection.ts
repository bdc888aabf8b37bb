import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { FettleError } from '../domain/error.ts';
import { migrate, refuseNewer, schemaVersion } from './migrations.ts';
import { refuseNetworkFileSystem } from './path.ts';
import type { Connection } from './sqlite.ts';

/** How long another writer is waited for. */
const busyTimeoutMs = 15_000;

export function openConnection(path: string, isReadonly: boolean): Connection {
  const directory = dirname(path);
  if (isReadonly && !existsSync(path)) {
    throw new FettleError('ledger', `there is no ledger at ${path}`, {
      hint: 'scan something first, or name it with --ledger or FETTLE_LEDGER',
    });
  }
  if (!isReadonly) makeDirectory(directory);
  refuseNetworkFileSystem(directory);
  const isNew = !existsSync(path);
  const connection = new Database(path, { readonly: isReadonly, timeout: busyTimeoutMs });
  try {
    if (isNew) chmodSync(path, 0o600);
    return isReadonly ? setUpReader(connection, path) : setUpWriter(connection, path);
  } catch (error) {
    connection.close();
    throw error;
  }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new FettleError('ledger', `the directory ${directory} for the ledger cannot be made`, {
      hint: 'name another place with --ledger or FETTLE_LEDGER',
      cause,
    });
  }
}

/** What precedes a side effect must be on the disk: synchronous FULL fsyncs every commit, also in WAL mode. */
function setUpWriter(connection: Connection, path: string): Connection {
  connection.pragma('journal_mode = WAL');
  connection.pragma('synchronous = FULL');
  connection.pragma('foreign_keys = ON');
  migrate(connection, path);
  // A file that can be opened but not written fails here and not in the middle of a run.
  connection.exec(`BEGIN IMMEDIATE; PRAGMA user_version = ${schemaVersion}; ROLLBACK`);
  return connection;
}

function setUpReader(connection: Connection, path: string): Connection {
  const version = Number(connection.pragma('user_version', { simple: true }));
  refuseNewer(version, path);
  if (version === 0) {
    throw new FettleError('ledger', `${path} is not a fettle ledger`, { hint: 'name another file with --ledger' });
  }
  return connection;
}
