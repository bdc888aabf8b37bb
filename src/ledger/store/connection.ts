import { chmodSync, closeSync, copyFileSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { FettleError } from '../../domain/error.ts';
import { makeDirectory } from '../../trust/trusted-path.ts';
import { migrate, refuseNewer, schemaVersion } from './migrations.ts';
import { refuseNetworkFileSystem } from './path.ts';
import type { Connection } from './sqlite.ts';

/** How long another writer is waited for. */
const busyTimeoutMs = 15_000;

/** `refill` makes the tables of an older ledger again from its events. */
type Refill = (connection: Connection) => void;

export function openConnection(path: string, isReadonly: boolean, refill: Refill): Connection {
  const directory = dirname(path);
  if (isReadonly) {
    if (existsSync(directory)) refuseNetworkFileSystem(directory);
    if (existsSync(path)) return openReader(path, refill);
    throw new FettleError('ledger', `there is no ledger at ${path}`, {
      hint: 'run a scan first, or set --ledger or FETTLE_LEDGER',
    });
  }
  makeLedgerDirectory(directory);
  refuseNetworkFileSystem(directory);
  return openWriter(path, refill);
}

function makeLedgerDirectory(directory: string): void {
  try {
    makeDirectory(directory, 0o700);
  } catch (cause) {
    throw new FettleError('ledger', `the directory ${directory} for the ledger cannot be created`, {
      hint: 'set another path with --ledger or FETTLE_LEDGER',
      cause,
    });
  }
}

/** What precedes a side effect must be on the disk: synchronous FULL fsyncs every commit, also in WAL mode. */
function openWriter(path: string, refill: Refill): Connection {
  // Its owner's alone from the first byte on; SQLite gives the files beside it the same mode.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  return orClose(new Database(path, { timeout: busyTimeoutMs }), (connection) => {
    connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = FULL');
    connection.pragma('foreign_keys = ON');
    migrate(connection, path, refill);
    // A file that can be opened but not written fails here and not in the middle of a run.
    connection.exec(`BEGIN IMMEDIATE; PRAGMA user_version = ${schemaVersion}; ROLLBACK`);
  });
}

/** One that cannot be read in place, as on read-only media, or that an older fettle wrote, is read from a copy. */
function openReader(path: string, refill: Refill): Connection {
  try {
    const connection = orClose(new Database(path, { readonly: true, timeout: busyTimeoutMs }), () => undefined);
    return orClose(connection, () => {
      if (checkVersion(connection, path) !== schemaVersion) throw new OlderSchema();
    });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (!(cause instanceof OlderSchema) && !/CANTOPEN|READONLY/.test(code)) throw cause;
    return openCopy(path, cause, refill);
  }
}

class OlderSchema extends Error {}

function orClose(connection: Connection, setUp: (connection: Connection) => void): Connection {
  try {
    setUp(connection);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function checkVersion(connection: Connection, path: string): number {
  const version = Number(connection.pragma('user_version', { simple: true }));
  refuseNewer(version, path);
  if (version > 0) return version;
  throw new FettleError('ledger', `${path} is not a ledger of fettle`, { hint: 'set another file with --ledger' });
}

/** Brought up to date, and gone from the directory as soon as it is open. */
function openCopy(path: string, cause: unknown, refill: Refill): Connection {
  let directory: string;
  try {
    directory = mkdtempSync(join(tmpdir(), 'fettle-ledger-copy-'));
  } catch {
    throw cause;
  }
  try {
    const copy = join(directory, 'ledger.db');
    copyFileSync(path, copy);
    if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
    for (const file of [copy, `${copy}-wal`]) if (existsSync(file)) chmodSync(file, 0o600);
    return orClose(new Database(copy), (connection) => {
      checkVersion(connection, path);
      // All in one file, so that nothing is opened by its name later.
      connection.pragma('journal_mode = DELETE');
      migrate(connection, path, refill);
      connection.pragma('query_only = ON');
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
