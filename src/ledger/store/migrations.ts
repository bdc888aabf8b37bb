import { FettleError } from '../../domain/error.ts';
import { projections, projectionSchema } from './projections.ts';
import { immediately, type Connection } from './sqlite.ts';

/** Of every ledger, in PRAGMA user_version: raised with each step of `keptSteps`, and with each change of `projectionSchema`. */
export const schemaVersion = 8;

/** What is not made from events is brought up to date step by step; each leads to its version. */
const keptSteps: readonly { readonly to: number; readonly sql: string }[] = [
  {
    to: 1,
    sql: `
    CREATE TABLE event (
      chain TEXT NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, type TEXT NOT NULL, run TEXT, host_id TEXT,
      envelope TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (chain, seq)
    );
    CREATE INDEX event_of_run ON event (run, host_id, type);
    CREATE TABLE blob (sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE TABLE lease (
      host_id TEXT PRIMARY KEY, run TEXT NOT NULL, holder_json TEXT NOT NULL, fence INTEGER NOT NULL, expires_at INTEGER NOT NULL
    );
    CREATE TABLE stop_request (run TEXT PRIMARY KEY, at INTEGER NOT NULL);
    `,
  },
  { to: 5, sql: 'ALTER TABLE lease ADD COLUMN boot_id TEXT; ALTER TABLE lease ADD COLUMN boot_expires INTEGER;' },
];

/**
 * Brings an older ledger up to this program; a newer one is refused. What is made from events is made again: `refill`
 * does that within the same transaction, and is called only where there may be events.
 */
export function migrate(connection: Connection, path: string, refill: (connection: Connection) => void): void {
  const version = (): number => Number(connection.pragma('user_version', { simple: true }));
  refuseNewer(version(), path);
  if (version() === schemaVersion) return;
  immediately(connection, () => {
    // Another process may have migrated while we waited for the lock.
    const found = version();
    if (found === schemaVersion) return;
    for (const { to, sql } of keptSteps) if (to > found) connection.exec(sql);
    for (const table of projections) connection.exec(`DROP TABLE IF EXISTS ${table}`);
    connection.exec(projectionSchema);
    if (found > 0) refill(connection);
    connection.pragma(`user_version = ${schemaVersion}`);
  });
}

/** The tables of this program in an empty database. */
export function createTables(connection: Connection): void {
  migrate(connection, '', () => undefined);
}

export function refuseNewer(version: number, path: string): void {
  if (version <= schemaVersion) return;
  throw new FettleError(
    'ledger',
    `the ledger ${path} was written by a newer fettle (schema ${version}, this one supports ${schemaVersion})`,
    {
      hint: 'use that version of fettle, or set another ledger with --ledger',
    },
  );
}
