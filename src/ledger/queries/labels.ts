// What hosts belonged to, as their inventory had it when a run began.
import type { HostLabels, LabelValue } from '../../domain/labels.ts';
import { prepared, type Connection } from '../store/sqlite.ts';
import type { Tables } from '../store/tables.ts';

type Row = Tables['host_label'] & Tables['label_set'];

const ofHosts = `SELECT host_label.*, groups_json, owner, ring, labels_json
  FROM host_label JOIN label_set USING (chain, seq, position)`;
const ofRun = `${ofHosts} WHERE run = ?`;
const ofHostInRun = `${ofHosts} WHERE host_id = ? AND run = ?`;
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

export function labelsInRun(connection: Connection, run: string, hostId: string): HostLabels | undefined {
  const row = prepared(connection, ofHostInRun).get(hostId, run) as Row | undefined;
  return row === undefined ? undefined : toLabels(row);
}

function byHost(rows: readonly Row[]): LabelsByHost {
  // Hosts of a set share it: it is read once.
  const sets = new Map<string, HostLabels>();
  const labelled = rows.map((row) => {
    const key = `${row.chain}\0${row.seq}\0${row.position}`;
    const labels = sets.get(key) ?? toLabels(row);
    sets.set(key, labels);
    return { row, labels };
  });
  return {
    byId: new Map(labelled.map(({ row, labels }) => [row.host_id, labels])),
    byName: new Map(labelled.map(({ row, labels }) => [row.host, labels])),
  };
}

function toLabels({ groups_json, owner, ring, labels_json }: Row): HostLabels {
  return {
    groups: JSON.parse(groups_json) as string[],
    ...(owner === null ? {} : { owner }),
    ...(ring === null ? {} : { ring }),
    labels: JSON.parse(labels_json) as Record<string, LabelValue>,
  };
}
