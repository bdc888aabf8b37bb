// What hosts belonged to, as their inventory had it when a run began.
import type { HostLabels, LabelValue } from '../../domain/labels.ts';
import { prepared, type Connection } from '../store/sqlite.ts';
import type { Tables } from '../store/tables.ts';

type Row = Tables['host_label'] & Tables['label_set'];

const ofHosts = `SELECT host_label.*, groups_json, owner, ring, labels_json
  FROM host_label JOIN label_set USING (chain, seq, position)`;
const ofRun = `${ofHosts} WHERE run = ?`;
/** Of pairs of run and host id, as JSON; the time of a run leads to the row of a host in its index. */
const ofPairs = `WITH pair AS (SELECT value->>0 AS run, value->>1 AS host_id FROM json_each(?))
  ${ofHosts} JOIN run ON run.run = host_label.run JOIN pair ON pair.run = run.run
    AND pair.host_id = host_label.host_id AND host_label.at = run.started_at`;
const latest = `WITH latest AS (SELECT host_id, MAX(at) AS at FROM host_label WHERE at <= ? GROUP BY host_id)
  ${ofHosts} JOIN latest ON latest.host_id = host_label.host_id AND latest.at = host_label.at ORDER BY run`;

export interface LabelsByHost {
  readonly byId: ReadonlyMap<string, HostLabels>;
  /** By inventory name, for hosts that were never contacted. */
  readonly byName: ReadonlyMap<string, HostLabels>;
}

export function labelsOfRun(connection: Connection, run: string): LabelsByHost {
  return byHost(prepared(connection, ofRun).all(run) as Row[]);
}

/** Of the latest run up to a time that named each host. */
export function labelsAt(connection: Connection, asOfMs: number): LabelsByHost {
  return byHost(prepared(connection, latest).all(asOfMs) as Row[]);
}

export interface HostInRun {
  readonly run: string;
  readonly hostId: string;
}

/** One query for all of them, each as the inventory had it when the run began. */
export function labelsOfEach(
  connection: Connection,
  asked: readonly HostInRun[],
): (one: HostInRun) => HostLabels | undefined {
  const pairs = JSON.stringify(asked.map(({ run, hostId }) => [run, hostId]));
  const rows = parsed(prepared(connection, ofPairs).all(pairs) as Row[]);
  const known = new Map(rows.map(({ row, labels }) => [keyOf({ run: row.run, hostId: row.host_id }), labels]));
  return (one) => known.get(keyOf(one));
}

function keyOf({ run, hostId }: HostInRun): string {
  return `${run}\0${hostId}`;
}

function byHost(rows: readonly Row[]): LabelsByHost {
  const labelled = parsed(rows);
  return {
    byId: new Map(labelled.map(({ row, labels }) => [row.host_id, labels])),
    byName: new Map(labelled.map(({ row, labels }) => [row.host, labels])),
  };
}

interface Labelled {
  readonly row: Row;
  readonly labels: HostLabels;
}

/** Hosts of a set share it: it is parsed once. */
function parsed(rows: readonly Row[]): readonly Labelled[] {
  const sets = new Map<string, HostLabels>();
  return rows.map((row) => {
    const key = `${row.chain}\0${row.seq}\0${row.position}`;
    const labels = sets.get(key) ?? toLabels(row);
    sets.set(key, labels);
    return { row, labels };
  });
}

function toLabels({ groups_json, owner, ring, labels_json }: Row): HostLabels {
  return {
    groups: JSON.parse(groups_json) as string[],
    ...(owner === null ? {} : { owner }),
    ...(ring === null ? {} : { ring }),
    labels: JSON.parse(labels_json) as Record<string, LabelValue>,
  };
}
