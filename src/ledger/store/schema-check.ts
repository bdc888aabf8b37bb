// What the database is made of, held against what the migrations make.
import Database from 'better-sqlite3';
import { createTables } from './migrations.ts';
import type { Connection } from './sqlite.ts';

interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

/** Tables, columns, indexes, triggers and views that differ, in words. */
export function checkSchema(connection: Connection): readonly string[] {
  const [wanted, found] = [wantedObjects(), objectsOf(connection)];
  const problems: string[] = [];
  for (const { type, name, sql } of found.values()) {
    const same = wanted.get(name);
    if (same === undefined) problems.push(`${type} ${name} does not belong to the ledger: it was added`);
    else if (same.sql !== sql) problems.push(`${type} ${name} was altered: its definition differs`);
  }
  for (const { type, name } of wanted.values()) {
    if (!found.has(name)) problems.push(`${type} ${name} is missing`);
  }
  return problems;
}

/** Takes out what is not ours and makes missing indexes again; tables are left as they are. */
export function restoreSchema(connection: Connection): void {
  const [wanted, found] = [wantedObjects(), objectsOf(connection)];
  for (const { type, name, sql } of found.values()) {
    if (type !== 'table' && wanted.get(name)?.sql !== sql)
      connection.exec(`DROP ${type} "${name.replaceAll('"', '""')}"`);
  }
  const left = objectsOf(connection);
  for (const { type, name, sql } of wanted.values()) if (type === 'index' && !left.has(name)) connection.exec(sql);
}

function wantedObjects(): ReadonlyMap<string, SchemaObject> {
  const anew = new Database(':memory:');
  try {
    createTables(anew);
    return objectsOf(anew);
  } finally {
    anew.close();
  }
}

/** Those that SQLite makes for itself have no text, or a reserved name. */
function objectsOf(connection: Connection): ReadonlyMap<string, SchemaObject> {
  const rows = connection
    .prepare(
      `SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`,
    )
    .all() as SchemaObject[];
  return new Map(rows.map((row) => [row.name, { ...row, sql: textOf(connection, row) }]));
}

/** A table by its columns, whatever steps made it; all else by its text. */
function textOf(connection: Connection, { type, name, sql }: SchemaObject): string {
  if (type !== 'table') return sql.replaceAll(/\s+/g, ' ').trim();
  const columns = connection
    .prepare('SELECT name, type, "notnull", pk, dflt_value FROM pragma_table_xinfo(?)')
    .all(name);
  return JSON.stringify(columns);
}
