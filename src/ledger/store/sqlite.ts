import Database from 'better-sqlite3';
import {
  DummyDriver,
  Kysely,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Compilable,
  type CompiledQuery,
  type RawBuilder,
} from 'kysely';
import { FettleError } from '../../domain/error.ts';
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
  const { sql: text, parameters } = built.compile();
  return prepared(connection, text).all(...parameters) as Row[];
}

export function first<Row>(connection: Connection, built: Compilable<Row>): Row | undefined {
  const { sql: text, parameters } = built.compile();
  return prepared(connection, text).get(...parameters) as Row | undefined;
}

export function run(connection: Connection, built: Compilable): void {
  const { sql: text, parameters } = built.compile();
  prepared(connection, text).run(...parameters);
}

/** For `limit`, written out: as a parameter it would have the statement planned anew each time, as below. */
export const one = sql.lit(1);

/** A statement of a connection, prepared when it is first used there. */
export function prepared(connection: Connection, text: string): Database.Statement {
  let known = statements.get(connection);
  if (known === undefined) {
    known = new Map();
    statements.set(connection, known);
  }
  let statement = known.get(text);
  if (statement === undefined) {
    statement = connection.prepare(text);
    known.set(text, statement);
  }
  return statement;
}

const statements = new WeakMap<Connection, Map<string, Database.Statement>>();

/** A query that is built once and run with other values each time: building one takes longer than running it. */
export interface Template<Given, Row> {
  run(connection: Connection, given: Given): void;
  all(connection: Connection, given: Given): Row[];
  first(connection: Connection, given: Given): Row | undefined;
}

/** Makes the place of a value that is given when the query runs. */
export type Slots<Given> = <Name extends keyof Given>(name: Name) => RawBuilder<Given[Name]>;

class Slot {
  readonly name: PropertyKey;

  constructor(name: PropertyKey) {
    this.name = name;
  }
}

/**
 * Built when it is first run. Each value stands behind a plus, which changes nothing: SQLite would plan a statement that
 * compares a bare parameter and sorts anew for every value, for ten times the time it takes to run.
 */
export function template<Given extends object, Row>(
  build: (slot: Slots<Given>) => Compilable<Row>,
): Template<Given, Row> {
  let compiled: CompiledQuery | undefined;
  const text = (): CompiledQuery => (compiled ??= build((name) => sql`+${new Slot(name)}`).compile());
  const values = (given: Given): unknown[] =>
    text().parameters.map((value) => (value instanceof Slot ? Reflect.get(given, value.name) : value));
  return {
    run: (connection, given) => void prepared(connection, text().sql).run(values(given)),
    all: (connection, given) => prepared(connection, text().sql).all(values(given)) as Row[],
    first: (connection, given) => prepared(connection, text().sql).get(values(given)) as Row | undefined,
  };
}

/** Takes the write lock before anything is read: a plain BEGIN would lose to another writer between read and write. */
export function immediately<T>(connection: Connection, work: () => T): T {
  return connection.transaction(work).immediate();
}

const explanations: readonly { readonly code: RegExp; readonly what: string; readonly hint: string }[] = [
  { code: /BUSY|LOCKED/, what: 'is locked by another process', hint: 'wait for it, or find it with: fuser' },
  {
    code: /FULL/,
    what: 'cannot be written: the disk is full',
    hint: 'free disk space, then resume with: fettle run resume',
  },
  {
    code: /READONLY|PERM|AUTH/,
    what: 'cannot be written: it is read-only',
    hint: 'check owner and permissions, or use --ledger',
  },
  { code: /NOTADB/, what: 'is not a ledger of fettle', hint: 'set another file with --ledger' },
  { code: /CORRUPT/, what: 'is damaged', hint: 'restore a backup; check it with: fettle ledger verify' },
  {
    code: /CANTOPEN/,
    what: 'cannot be opened',
    hint: 'check that the directory exists and that this account may use it',
  },
  {
    code: /IOERR/,
    what: 'cannot be read or written: the disk reports an error',
    hint: 'check the disk and its free space',
  },
];

/** An error of SQLite becomes a `FettleError`; a `FettleError` passes unchanged. */
export function ledgerError(path: string, cause: unknown): FettleError {
  if (cause instanceof FettleError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const known = explanations.find((item) => item.code.test(code));
  return known === undefined
    ? new FettleError('ledger', `the ledger ${path} failed: ${message}`, {
        hint: 'check it with: fettle ledger verify',
        cause,
      })
    : new FettleError('ledger', `the ledger ${path} ${known.what}`, { hint: known.hint, cause });
}
