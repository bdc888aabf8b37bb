// The history of hosts: updates in runs of fettle, runs that ended badly, and the hosts' own records.
import { badVerdicts, goodUpdateStates, updateStates, type Outcome } from '../../domain/outcome.ts';
import type { HistoryAnswer, HistoryQuestion, HistoryRow } from '../../domain/report.ts';
import { labelsOfEach } from './labels.ts';
import { prepared, type Connection } from '../store/sqlite.ts';
import type { Tables } from '../store/tables.ts';

/** Word for word as in the partial indexes of the schema: SQLite recognises no other text. */
const badState = `state NOT IN (${listed(goodUpdateStates)})`;
const badVerdict = `verdict IN (${listed(badVerdicts)})`;
/** A host's own record of an update by fettle is at most this much older or newer than fettle's. Milliseconds. */
const sameMs = 24 * 3_600_000;

/** Undefined where the ledger knows no such host. */
export function history(connection: Connection, question: HistoryQuestion): HistoryAnswer | undefined {
  const names = hostNames(connection);
  const hostId = question.host === undefined ? undefined : idOf(names, question.host);
  if (question.host !== undefined && hostId === undefined) return undefined;
  const asked = { ...question, hostId };
  const nameOf = (id: string): string => names.get(id) ?? id;
  const rows = [
    ...updateRows(connection, asked, nameOf),
    ...(question.update === undefined ? runRows(connection, asked, nameOf) : []),
    ...ownRows(connection, asked, nameOf),
  ].sort((one, other) => other.atMs - one.atMs);
  return { rows: labelled(connection, rows.slice(0, question.limit)), isCut: rows.length > question.limit };
}

type FoundRow = HistoryRow & { readonly hostId: string };

/** Rows of fettle's runs with the labels that the host had in that run. */
function labelled(connection: Connection, rows: readonly FoundRow[]): readonly HistoryRow[] {
  const asked = rows.flatMap(({ run, hostId }) => (run === undefined ? [] : [{ run, hostId }]));
  const labelsOf = labelsOfEach(connection, asked);
  return rows.map(({ hostId, ...row }) => {
    const labels = row.run === undefined ? undefined : labelsOf({ run: row.run, hostId });
    return labels === undefined ? row : { ...row, labels };
  });
}

type Asked = HistoryQuestion & { readonly hostId: string | undefined };
type NameOf = (hostId: string) => string;

function hostNames(connection: Connection): ReadonlyMap<string, string> {
  const rows = prepared(connection, 'SELECT host_id, name FROM host').all() as { host_id: string; name: string }[];
  return new Map(rows.map((row) => [row.host_id, row.name]));
}

function idOf(names: ReadonlyMap<string, string>, host: string): string | undefined {
  return names.has(host) ? host : [...names].find(([, name]) => name === host)?.[0];
}

interface Source {
  readonly table: string;
  readonly time: string;
  readonly where: readonly string[];
  /** Has a column `name` that the glob is matched against. */
  readonly isNamed: boolean;
}

/** The latest rows of a table, one more than the limit, so that it is known whether there are more. */
function latest<Row>(connection: Connection, asked: Asked, { table, time, where, isNamed }: Source): Row[] {
  const conditions = [
    `${time} BETWEEN :since AND :until`,
    ...where,
    ...(asked.hostId === undefined ? [] : [`${table}.host_id = :host`]),
    ...(asked.names === undefined
      ? []
      : [`${table}.host_id IN (SELECT host_id FROM host WHERE name IN (SELECT value FROM json_each(:names)))`]),
    ...(asked.update === undefined || !isNamed ? [] : ['LOWER(name) GLOB LOWER(:glob)']),
  ];
  const text = `SELECT ${table}.* FROM ${table} WHERE ${conditions.join(' AND ')}
    ORDER BY ${time} DESC, rowid DESC LIMIT :limit`;
  return prepared(connection, text).all({
    since: asked.sinceMs,
    until: asked.untilMs,
    limit: asked.limit + 1,
    ...(asked.hostId === undefined ? {} : { host: asked.hostId }),
    ...(asked.names === undefined ? {} : { names: JSON.stringify(asked.names) }),
    ...(asked.update === undefined || !isNamed ? {} : { glob: asked.update }),
  }) as Row[];
}

/** What was already installed was not the work of that run. */
function updateRows(connection: Connection, asked: Asked, nameOf: NameOf): readonly FoundRow[] {
  const where = [asked.isBadOnly ? badState : "state <> 'already'"];
  const source = { table: 'update_result', time: 'at', where, isNamed: true };
  return latest<Tables['update_result']>(connection, asked, source).map((row) => ({
    hostId: row.host_id,
    host: nameOf(row.host_id),
    atMs: row.at,
    kind: 'update',
    name: row.name,
    to: row.to_version,
    state: row.state,
    isBad: !updateStates[row.state].isGood,
    run: row.run,
    ...(row.manager === '' ? {} : { manager: row.manager }),
    ...(row.from_version === null || row.from_version === '' ? {} : { from: row.from_version }),
    ...(row.message === null ? {} : { message: row.message }),
  }));
}

/** Runs that only query hosts are not part of their history. */
function runRows(connection: Connection, asked: Asked, nameOf: NameOf): readonly FoundRow[] {
  const kinds = "run IN (SELECT run FROM run WHERE kind IN ('apply', 'reboot', 'shutdown'))";
  const source = { table: 'host_run', time: 'ended_at', where: [badVerdict, kinds], isNamed: false };
  return latest<Tables['host_run']>(connection, asked, source).map((row) => ({
    hostId: row.host_id,
    host: nameOf(row.host_id),
    atMs: row.ended_at ?? 0,
    kind: 'run',
    state: row.verdict ?? '',
    isBad: true,
    run: row.run,
    ...(row.outcome_json === null ? {} : { message: (JSON.parse(row.outcome_json) as Outcome).reason }),
  }));
}

/** Without updates that fettle recorded itself; one that was already installed, or only downloaded, was not its work. */
function ownRows(connection: Connection, asked: Asked, nameOf: NameOf): readonly FoundRow[] {
  const where = [
    ...(asked.isBadOnly ? ["result <> 'succeeded'"] : []),
    `NOT EXISTS (SELECT 1 FROM update_result AS ours WHERE ours.host_id = host_history.host_id
       AND ours.at BETWEEN host_history.at - ${sameMs} AND host_history.at + ${sameMs}
       AND ours.state NOT IN ('already', 'downloaded') AND ours.arch = update_id AND ours.to_version = CAST(revision AS TEXT))`,
  ];
  const source = { table: 'host_history', time: 'at', where, isNamed: true };
  return latest<Tables['host_history']>(connection, asked, source).map((row) => ({
    hostId: row.host_id,
    host: nameOf(row.host_id),
    atMs: row.at,
    kind: 'own',
    name: row.name,
    to: String(row.revision),
    state: ownState(row),
    isBad: row.result !== 'succeeded',
    title: row.title,
    client: row.client,
    ...(row.message === null ? {} : { message: row.message }),
  }));
}

function ownState({ operation, result }: Tables['host_history']): string {
  if (result !== 'succeeded') return result;
  return operation === 'uninstall' ? 'removed' : 'installed';
}

function listed(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(', ');
}
