import { unpackEnvelope } from './chain.ts';
import { project } from './projection.ts';
import { storedEvents, type StoredEvent } from './stored-events.ts';
import { schemaVersion } from '../store/migrations.ts';
import { projections, reportIndexes } from '../store/projections.ts';
import { restoreSchema } from '../store/schema-check.ts';
import { immediately, prepared, type Connection } from '../store/sqlite.ts';

/**
 * Empties every table that is made from events and makes it again, in one transaction; triggers and indexes become
 * those of this program.
 */
export function rebuild(connection: Connection): void {
  immediately(connection, () => {
    restoreSchema(connection);
    fill(connection, (stored) => project(connection, unpackEnvelope(stored)));
  });
}

/** How far the upgrade of a ledger is that an older fettle wrote. */
export interface UpgradeProgress {
  /** Of the schema. */
  readonly from: number;
  readonly to: number;
  readonly events: number;
  /** Events whose rows are in the new tables. */
  readonly done: number;
}

/** So many events take some hundredths of a second. */
const reportedEach = 1_000;

/**
 * The same for a ledger whose tables have new shapes, within a transaction of the caller. An event that was altered until
 * it cannot be parsed is skipped: `ledger verify` names it, and must be able to open the ledger for that.
 */
export function refill(connection: Connection, report: (progress: UpgradeProgress) => void = () => undefined): void {
  const from = Number(connection.pragma('user_version', { simple: true }));
  const events = prepared(connection, 'SELECT COUNT(*) FROM event').pluck().get() as number;
  const reportDone = (done: number): void => report({ from, to: schemaVersion, events, done });
  let done = 0;
  reportDone(done);
  fill(connection, (stored) => {
    try {
      project(connection, unpackEnvelope(stored));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
    }
    done += 1;
    if (done % reportedEach === 0) reportDone(done);
  });
  reportDone(events);
}

function fill(connection: Connection, take: (stored: StoredEvent) => void): void {
  for (const table of projections) connection.exec(`DELETE FROM ${table}`);
  // An index is made at once in a fraction of the time that a row at a time takes.
  for (const index of reportIndexes) if (index !== 'event_of_run') connection.exec(`DROP INDEX IF EXISTS ${index}`);
  for (const stored of storedEvents(connection)) take(stored);
  restoreSchema(connection);
}

/** Not JSON, without a part that every event of its type has, or with a value that its column refuses. */
function isUnreadable(error: unknown): boolean {
  if (error instanceof SyntaxError || error instanceof TypeError) return true;
  return error instanceof Error && 'code' in error && /^SQLITE_(CONSTRAINT|MISMATCH)/.test(String(error.code));
}
