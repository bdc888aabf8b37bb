import Database from 'better-sqlite3';
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, type Compilable } from 'kysely';
import { FettleError } from '../domain/error.ts';
import type { Tables } from './tables.ts';

/** The connection; only the worker thread has one. */
export type Connection = Database.Database;

/** Builds queries; the connection runs them at once, so that a transaction is ours from BEGIN IMMEDIATE to COMMIT. */
export const query = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

export function all<Row>(connection: Connection, built: Compilable<Row>): Row[] {
  const { sql, parameters } = built.compile();
  return prepared(connection, sql).all(...parameters) as Row[];
}

export function first<Row>(connection: Connection, built: Compilable<Row>): Row | undefined {
  const { sql, parameters } = built.compile();
  return prepared(connection, sql).get(...parameters) as Row | undefined;
}

export function run(connection: Connection, built: Compilable<unknown>): void {
  const { sql, parameters } = built.compile();
  prepared(connection, sql).run(...parameters);
}

const statements = new WeakMap<Connection, Map<string, Database.Statement>>();

function prepared(connection: Connection, sql: string): Database.Statement {
  let known = statements.get(connection);
  if (known === undefined) {
    known = new Map();
    statements.set(connection, known);
  }
  let statement = known.get(sql);
  if (statement === undefined) {
    statement = connection.prepare(sql);
    known.set(sql, statement);
  }
  return statement;
}

/** Takes the write lock before anything is read: a plain BEGIN would lose to another writer between read and write. */
export function immediately<T>(connection: Connection, work: () => T): T {
  return connection.transaction(work).immediate();
}

const explanations: readonly { readonly code: RegExp; readonly what: string; readonly hint: string }[] = [
  { code: /BUSY|LOCKED/, what: 'is locked by another process', hint: 'wait for it, or find it with: fuser' },
  { code: /FULL/, what: 'cannot be written: the disk is full', hint: 'make room, then go on with: fettle run resume' },
  {
    code: /READONLY|PERM|AUTH/,
    what: 'cannot be written: it is read-only',
    hint: 'check owner and permissions, or use --ledger',
  },
  { code: /NOTADB/, what: 'is not a fettle ledger', hint: 'name another file with --ledger' },
  { code: /CORRUPT/, what: 'is damaged', hint: 'restore a backup; look at it with: fettle ledger verify' },
  { code: /CANTOPEN/, what: 'cannot be opened', hint: 'does the directory exist, and may this account use it?' },
  { code: /IOERR/, what: 'cannot be read or written: the disk reports an error', hint: 'check space and the disk' },
];

/** What SQLite throws becomes ours; everything else of ours passes. */
export function ledgerError(path: string, cause: unknown): FettleError {
  if (cause instanceof FettleError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const known = explanations.find((item) => item.code.test(code));
  return known === undefined
    ? new FettleError('ledger', `the ledger ${path} fails: ${message}`, {
        hint: 'look at it with: fettle ledger verify',
        cause,
      })
    : new FettleError('ledger', `the ledger ${path} ${known.what}`, { hint: known.hint, cause });
}
