import Database from 'better-sqlite3';
import type { LedgerCheck, LedgerStats } from '../domain/report.ts';
import { checkBlobs } from './blob.ts';
import { chainName, checkChain, readHead, unpackEnvelope, type Head, type StoredEvent } from './chain.ts';
import { migrate, projections, schemaVersion } from './migrations.ts';
import { project } from './projection.ts';
import type { Connection } from './sqlite.ts';

/** Chain, blobs and tables: what differs from what was written, in words. */
export function checkLedger(connection: Connection, saved: readonly Head[]): LedgerCheck {
  const chain = checkChain(connection, saved);
  const blobs = checkBlobs(connection);
  const problems = [...chain.problems, ...blobs.problems];
  // Tables made from altered events differ for a reason that was told already.
  if (chain.problems.length === 0) problems.push(...checkProjections(connection));
  return { events: chain.head.seq, blobs: blobs.count, head: `${chain.head.seq}:${chain.head.hash}`, problems };
}

function events(connection: Connection): IterableIterator<StoredEvent> {
  return connection
    .prepare('SELECT seq, time, type, envelope, hash FROM event WHERE chain = ? ORDER BY seq')
    .iterate(chainName) as IterableIterator<StoredEvent>;
}

/** Makes every table again from the events, in memory, and compares. */
function checkProjections(connection: Connection): string[] {
  const anew = new Database(':memory:');
  try {
    migrate(anew, ':memory:');
    anew.exec('BEGIN');
    for (const stored of events(connection)) project(anew, unpackEnvelope(stored));
    return projections
      .filter((table) => !isSame(rowsOf(connection, table), rowsOf(anew, table)))
      .map((table) => `table ${table} was altered: it differs from what the events say`);
  } finally {
    anew.close();
  }
}

function rowsOf(connection: Connection, table: string): IterableIterator<unknown[]> {
  const columns = (connection.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name);
  return connection
    .prepare(`SELECT ${columns.join(', ')} FROM ${table} ORDER BY ${columns.join(', ')}`)
    .raw()
    .iterate() as IterableIterator<unknown[]>;
}

function isSame(left: IterableIterator<unknown[]>, right: IterableIterator<unknown[]>): boolean {
  try {
    for (;;) {
      const [a, b] = [left.next(), right.next()];
      if (a.done === true || b.done === true) return a.done === b.done;
      if (JSON.stringify(a.value) !== JSON.stringify(b.value)) return false;
    }
  } finally {
    // An open iterator keeps its connection busy.
    left.return?.();
    right.return?.();
  }
}

/** Empties every table that is made from events and makes it again. */
export function rebuild(connection: Connection): void {
  const rows = [...events(connection)];
  connection.transaction(() => {
    for (const table of projections) connection.exec(`DELETE FROM ${table}`);
    for (const stored of rows) project(connection, unpackEnvelope(stored));
  })();
}

export function readStats(connection: Connection, path: string): LedgerStats {
  const count = (sql: string): number => (connection.prepare(sql).get() as { n: number | null }).n ?? 0;
  const head = readHead(connection);
  const [firstMs, lastMs] = [count('SELECT MIN(time) AS n FROM event'), count('SELECT MAX(time) AS n FROM event')];
  return {
    path,
    schema: schemaVersion,
    sizeBytes: count('SELECT page_count * page_size AS n FROM pragma_page_count(), pragma_page_size()'),
    events: head.seq,
    runs: count('SELECT COUNT(*) AS n FROM run'),
    hosts: count('SELECT COUNT(*) AS n FROM host'),
    blobs: count('SELECT COUNT(*) AS n FROM blob'),
    blobBytes: count('SELECT SUM(LENGTH(body)) AS n FROM blob'),
    ...(firstMs === 0 ? {} : { firstMs, lastMs }),
    head: `${head.seq}:${head.hash}`,
  };
}
