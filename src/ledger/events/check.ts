import Database from 'better-sqlite3';
import type { RunEventType } from '../../domain/event.ts';
import type { LedgerCheck, LedgerStats } from '../../domain/report.ts';
import { checkBlobs } from '../store/blob.ts';
import { chainName, checkChain, readHead, unpackEnvelope, type Head } from './chain.ts';
import { formatHead } from './heads.ts';
import { createTables, schemaVersion } from '../store/migrations.ts';
import { projections, reportIndexes } from '../store/projections.ts';
import { project } from './projection.ts';
import { checkSchema } from '../store/schema-check.ts';
import { storedEvents } from './stored-events.ts';
import type { Connection } from '../store/sqlite.ts';

/** Pages of the tables made anew that are kept in memory, KiB; the rest is in a temporary file. */
const cacheKib = 64 * 1024;

export interface RecordCheck extends Omit<LedgerCheck, 'heads'> {
  /** False: an event is not what was written, so the tables made from the events prove nothing. */
  readonly isChainSound: boolean;
}

/** Chain and blobs: what differs from what was written, in words. Others may go on appending meanwhile. */
export function checkRecord(connection: Connection, saved: readonly Head[]): RecordCheck {
  const { head, problems, references } = checkChain(connection, saved);
  const blobs = checkBlobs(connection, references);
  return {
    events: head.seq,
    blobs: blobs.count,
    head: formatHead(head),
    problems: [...problems, ...blobs.problems, ...checkSchema(connection), ...checkLeases(connection)],
    isChainSound: problems.length === 0,
  };
}

/** Leases and stop requests are not made from events, but whose they are must be a run that the chain knows. */
function checkLeases(connection: Connection): readonly string[] {
  const strangers = (table: string): { run: string }[] =>
    connection
      .prepare(`SELECT DISTINCT run FROM ${table} WHERE run NOT IN (SELECT run FROM event WHERE run IS NOT NULL)`)
      .all() as { run: string }[];
  return [
    ...strangers('lease').map(({ run }) => `a lease names run ${run}, which has no events`),
    ...strangers('stop_request').map(({ run }) => `a stop request names run ${run}, which has no events`),
  ];
}

/** Tables that no event of another share touches; each share is checked by itself, on a thread of its own. */
export type TableShare = 'hosts' | 'work';

const shareOfEvent: Readonly<Record<RunEventType, TableShare>> = {
  'host.started': 'hosts',
  'host.scanned': 'hosts',
  'host.rebooted': 'hosts',
  'host.verified': 'hosts',
  'host.finished': 'hosts',
  'host.abandoned': 'work',
  'run.started': 'work',
  'run.resumed': 'work',
  'run.stopping': 'work',
  'run.detached': 'work',
  'run.finished': 'work',
  'wave.started': 'work',
  'wave.finished': 'work',
  'step.started': 'work',
  'step.finished': 'work',
  // The manager of an update may be known from a scan alone.
  'update.finished': 'hosts',
  'plan.created': 'work',
  note: 'work',
};

const shareOfTable: Readonly<Record<(typeof projections)[number], TableShare>> = {
  host: 'hosts',
  host_name: 'hosts',
  host_run: 'hosts',
  scan: 'hosts',
  host_fact: 'hosts',
  missing_update: 'hosts',
  host_history: 'hosts',
  reboot: 'hosts',
  finding: 'hosts',
  update_result: 'hosts',
  run: 'work',
  selected_host: 'work',
  label_set: 'work',
  host_label: 'work',
  wave: 'work',
  step: 'work',
  plan: 'work',
  note: 'work',
};

/** Makes the tables of a share again from the events and compares: what differs, in words. */
export function checkTables(connection: Connection, share: TableShare): readonly string[] {
  // Events and tables are read as of one moment; others may go on appending meanwhile.
  return connection.transaction(() => {
    const anew = new Database('');
    try {
      prepareAnew(anew);
      for (const stored of storedEvents(connection, typesOf(share))) project(anew, unpackEnvelope(stored));
      return compareTables(connection, anew, share);
    } catch (error) {
      if (error instanceof SyntaxError)
        return ['an event cannot be parsed, so the tables cannot be rebuilt from the events'];
      throw error;
    } finally {
      anew.close();
    }
  })();
}

function typesOf(share: TableShare): readonly string[] {
  return Object.entries(shareOfEvent).flatMap(([type, its]) => (its === share ? [type] : []));
}

/** Tables of no lasting worth, with no index that making them does not need. */
function prepareAnew(anew: Connection): void {
  anew.pragma('journal_mode = OFF');
  anew.pragma('synchronous = OFF');
  anew.pragma(`cache_size = -${cacheKib}`);
  createTables(anew);
  for (const index of reportIndexes) anew.exec(`DROP INDEX ${index}`);
  anew.exec('BEGIN');
}

function compareTables(connection: Connection, anew: Connection, share: TableShare): string[] {
  return projections
    .filter((table) => shareOfTable[table] === share)
    .filter((table) => !isSame(rowsOf(connection, table, 'stored'), rowsOf(anew, table, 'stored')))
    .filter((table) => !isSame(rowsOf(connection, table, 'whole'), rowsOf(anew, table, 'whole')))
    .map((table) => `table ${table} was altered: it differs from the events`);
}

/** Each row as JSON; `stored` is the order in which they lie in the file: quick, and nearly always the same in both. */
function rowsOf(connection: Connection, table: string, order: 'stored' | 'whole'): IterableIterator<string> {
  const columns = (connection.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name).join(', ');
  return connection
    .prepare(
      `SELECT json_array(${columns}) AS whole FROM ${table} ${order === 'whole' ? 'ORDER BY whole' : 'NOT INDEXED'}`,
    )
    .pluck()
    .iterate() as IterableIterator<string>;
}

function isSame(left: IterableIterator<string>, right: IterableIterator<string>): boolean {
  try {
    for (;;) {
      const [a, b] = [left.next(), right.next()];
      if (a.done === true || b.done === true) return a.done === b.done;
      if (a.value !== b.value) return false;
    }
  } finally {
    // An open iterator keeps its connection busy.
    left.return?.();
    right.return?.();
  }
}

/** What SQLite finds wrong with its own file, in its words; nothing where it is sound. */
export function checkFile(connection: Connection): readonly string[] {
  const rows = connection.pragma('quick_check(3)') as { quick_check: string }[];
  return rows.map((row) => row.quick_check).filter((text) => text !== 'ok');
}

export function readStats(connection: Connection, path: string): LedgerStats {
  const count = (sql: string): number => (connection.prepare(sql).get() as { n: number | null } | undefined)?.n ?? 0;
  const head = readHead(connection);
  const inOrder = `SELECT time AS n FROM event WHERE chain = '${chainName}' ORDER BY seq`;
  const [firstMs, lastMs] = [count(`${inOrder} LIMIT 1`), count(`${inOrder} DESC LIMIT 1`)];
  return {
    path,
    ledgerSchema: schemaVersion,
    sizeBytes: count('SELECT page_count * page_size AS n FROM pragma_page_count(), pragma_page_size()'),
    events: head.seq,
    runs: count('SELECT COUNT(*) AS n FROM run'),
    hosts: count('SELECT COUNT(*) AS n FROM host'),
    blobs: count('SELECT COUNT(*) AS n FROM blob'),
    blobBytes: count('SELECT SUM(LENGTH(body)) AS n FROM blob'),
    ...(firstMs === 0 ? {} : { firstMs, lastMs }),
    head: formatHead(head),
  };
}
