import { gapsOf, type HistoryEntry, type HostFacts } from '../../domain/scan.ts';
import { countPending, type HeldBack, type Update } from '../../domain/update.ts';
import type { PackedScan, PackedScanEvent } from './packed-event.ts';
import { one, prepared, query, template, type Connection, type Slots } from '../store/sqlite.ts';
import type { Tables } from '../store/tables.ts';

interface ProjectedScan {
  readonly seq: number;
  readonly timeMs: number;
  readonly event: PackedScanEvent;
}

/** What reports ask of a scan, beside the counts. */
export interface ScanStatus {
  readonly osName: string;
  readonly kernel: string;
  readonly securityKnown: boolean;
  readonly isStale: boolean;
  readonly metadataFetchedMs?: number;
  readonly rebootReasons: readonly string[];
  readonly broken: number;
  readonly problems: readonly string[];
  readonly packages: number;
  /** Updates may be missing from the answer; absent where it was complete. */
  readonly isIncomplete?: true;
}

const insertScan = template((slot: Slots<Tables['scan']>) =>
  query.insertInto('scan').values({
    seq: slot('seq'),
    host_id: slot('host_id'),
    run: slot('run'),
    purpose: slot('purpose'),
    at: slot('at'),
    security: slot('security'),
    other: slot('other'),
    held_back: slot('held_back'),
    reboot_needed: slot('reboot_needed'),
    status_json: slot('status_json'),
    packages_sha256: slot('packages_sha256'),
  }),
);

const latestFacts = template((slot: Slots<Pick<Tables['host_fact'], 'host_id'>>) =>
  query
    .selectFrom('host_fact')
    .select(['seen_from', 'facts_json'])
    .where('host_id', '=', slot('host_id'))
    .orderBy('seen_from', 'desc')
    .limit(one),
);

const extendFacts = template((slot: Slots<Tables['host_fact']>) =>
  query
    .updateTable('host_fact')
    .set({ seen_to: slot('seen_to'), facts_json: slot('facts_json') })
    .where('host_id', '=', slot('host_id'))
    .where('seen_from', '=', slot('seen_from')),
);

const insertFacts = template((slot: Slots<Tables['host_fact']>) =>
  query.insertInto('host_fact').values({
    host_id: slot('host_id'),
    seen_from: slot('seen_from'),
    seen_to: slot('seen_to'),
    facts_json: slot('facts_json'),
  }),
);

const insertMissing = template((slot: Slots<Omit<Tables['missing_update'], 'gone_at'>>) =>
  query.insertInto('missing_update').values({
    host_id: slot('host_id'),
    name: slot('name'),
    arch: slot('arch'),
    from_version: slot('from_version'),
    to_version: slot('to_version'),
    class: slot('class'),
    held_back: slot('held_back'),
    title: slot('title'),
    first_seen: slot('first_seen'),
    gone_at: null,
  }),
);

const insertHistory = template((slot: Slots<Tables['host_history']>) =>
  query
    .insertInto('host_history')
    .values({
      host_id: slot('host_id'),
      at: slot('at'),
      update_id: slot('update_id'),
      revision: slot('revision'),
      operation: slot('operation'),
      name: slot('name'),
      title: slot('title'),
      result: slot('result'),
      message: slot('message'),
      client: slot('client'),
    })
    .onConflict((conflict) => conflict.doNothing()),
);

export function projectScan(connection: Connection, { seq, timeMs, event }: ProjectedScan): void {
  const { scan, hostId } = event;
  const { security, other, heldBack } = countPending(scan.updates);
  insertScan.run(connection, {
    seq,
    host_id: hostId,
    run: event.run,
    purpose: event.purpose,
    at: timeMs,
    security,
    other,
    held_back: heldBack,
    reboot_needed: scan.reboot.needed,
    status_json: JSON.stringify(statusOf(scan)),
    packages_sha256: scan.packagesSha256,
  });
  projectFacts(connection, { hostId, timeMs, facts: scan.facts });
  projectMissing(connection, { hostId, timeMs, updates: scan.updates });
  for (const entry of scan.history ?? []) insertHistory.run(connection, historyRow(hostId, entry));
}

function historyRow(hostId: string, entry: HistoryEntry): Tables['host_history'] {
  const { atMs, id, revision, operation, name, title, result, message = null, client } = entry;
  return { host_id: hostId, at: atMs, update_id: id, revision, operation, name, title, result, message, client };
}

function statusOf(scan: PackedScan): ScanStatus {
  const { metadata } = scan;
  return {
    osName: scan.facts.osName,
    kernel: scan.facts.kernel,
    securityKnown: scan.securityKnown,
    isStale: metadata.isStale,
    ...(metadata.fetchedMs === undefined ? {} : { metadataFetchedMs: metadata.fetchedMs }),
    rebootReasons: scan.reboot.reasons,
    broken: scan.broken.length,
    problems: scan.problems.map((problem) => problem.message),
    packages: scan.packageCount,
    ...(gapsOf(scan).length === 0 ? {} : { isIncomplete: true }),
  };
}

/** A row only where something changed; uptime and clock always do and say nothing. */
function projectFacts(connection: Connection, seen: { hostId: string; timeMs: number; facts: HostFacts }): void {
  const { uptimeSec: _uptime, clockSkewMs: _skew, ...steady } = seen.facts;
  const facts_json = JSON.stringify(steady);
  const { hostId: host_id, timeMs } = seen;
  const latest = latestFacts.first(connection, { host_id });
  const isSame = latest !== undefined && (latest.facts_json === facts_json || latest.seen_from === timeMs);
  if (isSame) extendFacts.run(connection, { host_id, seen_from: latest.seen_from, seen_to: timeMs, facts_json });
  else insertFacts.run(connection, { host_id, seen_from: timeMs, seen_to: timeMs, facts_json });
}

interface OpenUpdate {
  readonly name: string;
  readonly arch: string;
  readonly from_version: string;
  readonly to_version: string;
  readonly class: string;
  readonly held_back: string | null;
}

interface MissingUpdate extends OpenUpdate {
  readonly title: string | null;
}

const selectOpen = `SELECT rowid, name, arch, from_version, to_version, class, held_back FROM missing_update
  WHERE host_id = ? AND gone_at IS NULL`;

function keyOf(row: OpenUpdate): string {
  return `${row.name}\0${row.arch}\0${row.from_version}\0${row.to_version}\0${row.class}\0${row.held_back ?? ''}`;
}

/** What is missing keeps the time it was first seen; what is not there any more gets the time it went. */
function projectMissing(
  connection: Connection,
  seen: { hostId: string; timeMs: number; updates: readonly Update[] },
): void {
  const open = prepared(connection, selectOpen).all(seen.hostId) as (OpenUpdate & { rowid: number })[];
  const gone = new Map(open.map((row) => [keyOf(row), row.rowid]));
  const now = new Map(seen.updates.map(openOf).map((row) => [keyOf(row), row]));
  for (const [key, row] of now) {
    if (!gone.delete(key)) insertMissing.run(connection, { host_id: seen.hostId, ...row, first_seen: seen.timeMs });
  }
  const close = prepared(connection, 'UPDATE missing_update SET gone_at = ? WHERE rowid = ?');
  for (const rowid of gone.values()) close.run(seen.timeMs, rowid);
}

function openOf(update: Update): MissingUpdate {
  return {
    name: update.name,
    arch: update.arch,
    from_version: update.from,
    to_version: update.to,
    class: update.class,
    held_back: update.heldBack === undefined ? null : heldWord(update.heldBack),
    title: update.title ?? null,
  };
}

function heldWord(heldBack: HeldBack): string {
  return heldBack.kind === 'phased' && heldBack.percent !== undefined ? `phased ${heldBack.percent} %` : heldBack.kind;
}
