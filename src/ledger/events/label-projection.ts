// Labels of hosts: each set of a run once, and which of them a host had.
import type { LabelSet } from '../../domain/labels.ts';
import { prepared, query, template, type Connection, type Slots } from '../store/sqlite.ts';
import type { Tables } from '../store/tables.ts';

const insertSet = template((slot: Slots<Tables['label_set']>) =>
  query.insertInto('label_set').values({
    chain: slot('chain'),
    seq: slot('seq'),
    position: slot('position'),
    groups_json: slot('groups_json'),
    owner: slot('owner'),
    ring: slot('ring'),
    labels_json: slot('labels_json'),
  }),
);

/** All hosts of a set in one statement: `names` is a JSON array, `ids` an object by name. */
const insertHosts = `INSERT OR REPLACE INTO host_label (run, host, host_id, at, chain, seq, position)
  SELECT :run, named.value, COALESCE(known.value, named.value), :at, :chain, :seq, :position
  FROM json_each(:names) AS named LEFT JOIN json_each(:ids) AS known ON known.key = named.value`;

interface OfRun {
  readonly chain: string;
  readonly seq: number;
  readonly at: number;
  readonly run: string;
}

export function projectLabels(connection: Connection, ofRun: OfRun, sets: readonly LabelSet[]): void {
  const { chain, seq } = ofRun;
  for (const [position, { hosts, ids = {}, groups, owner, ring, labels }] of sets.entries()) {
    insertSet.run(connection, {
      chain,
      seq,
      position,
      groups_json: JSON.stringify(groups),
      owner: owner ?? null,
      ring: ring ?? null,
      labels_json: JSON.stringify(labels),
    });
    const all = { ...ofRun, position, names: JSON.stringify(hosts), ids: JSON.stringify(ids) };
    prepared(connection, insertHosts).run(all);
  }
}
