// Which updates a host lacked, from when to when.
import { withManager } from '../../domain/former-records.ts';
import { heldBackWord } from '../../domain/held-back.ts';
import type { Update } from '../../domain/update.ts';
import type { PackedScan } from './packed-event.ts';
import { prepared, query, template, type Connection, type Slots } from '../store/sqlite.ts';
import type { Tables } from '../store/tables.ts';

type Row = Tables['missing_update'];

/** What makes an update the same as in the scan before. */
const identity = ['manager', 'name', 'arch', 'from_version', 'to_version', 'class', 'held_back'] as const;

/** Details of the update, from the latest scan that listed it. */
const details = [
  'title',
  'source',
  'source_version',
  'severity',
  'vendor_severity',
  'advisories_json',
  'cves_json',
  'size_bytes',
  'origins_json',
] as const;

type Known = Pick<Row, (typeof identity)[number] | (typeof details)[number]>;
type Open = Known & Pick<Row, 'chain' | 'seq' | 'position'>;

const selectOpen = `SELECT chain, seq, position, ${[...identity, ...details].join(', ')} FROM missing_update
  WHERE host_id = ? AND gone_at IS NULL`;
const close = 'UPDATE missing_update SET gone_at = ? WHERE chain = ? AND seq = ? AND position = ?';
const describe = `UPDATE missing_update SET ${details.map((column) => `${column} = :${column}`).join(', ')}
  WHERE chain = :chain AND seq = :seq AND position = :position`;

const insert = template((slot: Slots<Omit<Row, 'gone_at'>>) =>
  query.insertInto('missing_update').values({
    chain: slot('chain'),
    seq: slot('seq'),
    position: slot('position'),
    host_id: slot('host_id'),
    manager: slot('manager'),
    name: slot('name'),
    arch: slot('arch'),
    from_version: slot('from_version'),
    to_version: slot('to_version'),
    class: slot('class'),
    held_back: slot('held_back'),
    title: slot('title'),
    source: slot('source'),
    source_version: slot('source_version'),
    severity: slot('severity'),
    vendor_severity: slot('vendor_severity'),
    advisories_json: slot('advisories_json'),
    cves_json: slot('cves_json'),
    size_bytes: slot('size_bytes'),
    origins_json: slot('origins_json'),
    first_seen: slot('first_seen'),
    gone_at: null,
  }),
);

interface Seen {
  readonly chain: string;
  readonly seq: number;
  readonly hostId: string;
  readonly timeMs: number;
  readonly scan: Pick<PackedScan, 'manager' | 'updates'>;
}

/** A missing update keeps the time of its first scan; one that is no longer missing gets the time at which that was found. */
export function projectMissing(connection: Connection, { chain, seq, hostId, timeMs, scan }: Seen): void {
  const open = prepared(connection, selectOpen).all(hostId) as Open[];
  const gone = new Map(open.map((row) => [textOf(row, identity), row]));
  const now = new Map(
    scan.updates.map((update) => knownOf(withManager(update, scan.manager))).map((row) => [textOf(row, identity), row]),
  );
  let position = 0;
  for (const [key, row] of now) {
    const before = gone.get(key);
    gone.delete(key);
    const place = { chain, seq, position };
    position += 1;
    if (before === undefined) insert.run(connection, { ...place, host_id: hostId, ...row, first_seen: timeMs });
    else if (textOf(before, details) !== textOf(row, details)) {
      prepared(connection, describe).run({ ...before, ...row });
    }
  }
  for (const row of gone.values()) prepared(connection, close).run(timeMs, row.chain, row.seq, row.position);
}

function textOf(row: Known, columns: readonly (keyof Known)[]): string {
  return columns.map((column) => row[column] ?? '').join('\0');
}

function knownOf(update: Update): Known {
  const { heldBack, severity, vendorSeverity, cves, origins, advisories } = update;
  return {
    manager: update.manager,
    name: update.name,
    arch: update.arch,
    from_version: update.from,
    to_version: update.to,
    class: update.class,
    held_back: heldBack === undefined ? null : heldBackWord(heldBack),
    title: update.title ?? null,
    source: update.source ?? null,
    source_version: update.sourceVersion ?? null,
    // Alone, it is the publisher's own word: nothing mapped it.
    severity: vendorSeverity === undefined ? null : (severity ?? null),
    vendor_severity: vendorSeverity ?? severity ?? null,
    advisories_json: jsonOf(advisories),
    cves_json: jsonOf(cves),
    size_bytes: update.sizeBytes ?? null,
    origins_json: jsonOf(origins),
  };
}

function jsonOf(list: readonly unknown[] | undefined): string | null {
  return list === undefined || list.length === 0 ? null : JSON.stringify(list);
}
