import type { HostFacts } from '../domain/scan.ts';
import type { HeldBack, Update } from '../domain/update.ts';
import type { PackedScan, PackedScanEvent } from './blob.ts';
import { first, query, run, type Connection } from './sqlite.ts';

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
}

export function projectScan(connection: Connection, { seq, timeMs, event }: ProjectedScan): void {
  const { scan, hostId } = event;
  const pending = scan.updates.filter((update) => update.heldBack === undefined || update.securityTo !== undefined);
  const security = pending.filter((update) => update.class === 'security').length;
  run(
    connection,
    query.insertInto('scan').values({
      seq,
      host_id: hostId,
      run: event.run,
      purpose: event.purpose,
      at: timeMs,
      security,
      other: pending.length - security,
      held_back: scan.updates.length - pending.length,
      reboot_needed: scan.reboot.needed,
      status_json: JSON.stringify(statusOf(scan)),
      packages_sha256: scan.packagesSha256,
    }),
  );
  projectFacts(connection, { hostId, timeMs, facts: scan.facts });
  projectMissing(connection, { hostId, timeMs, updates: scan.updates });
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
  };
}

/** A row only where something changed; uptime and clock always do and say nothing. */
function projectFacts(connection: Connection, seen: { hostId: string; timeMs: number; facts: HostFacts }): void {
  const { uptimeSec: _uptime, clockSkewMs: _skew, ...steady } = seen.facts;
  const facts_json = JSON.stringify(steady);
  const latest = first(
    connection,
    query
      .selectFrom('host_fact')
      .select(['seen_from', 'facts_json'])
      .where('host_id', '=', seen.hostId)
      .orderBy('seen_from', 'desc')
      .limit(1),
  );
  if (latest !== undefined && (latest.facts_json === facts_json || latest.seen_from === seen.timeMs)) {
    run(
      connection,
      query
        .updateTable('host_fact')
        .set({ seen_to: seen.timeMs, facts_json })
        .where('host_id', '=', seen.hostId)
        .where('seen_from', '=', latest.seen_from),
    );
    return;
  }
  run(
    connection,
    query
      .insertInto('host_fact')
      .values({ host_id: seen.hostId, seen_from: seen.timeMs, seen_to: seen.timeMs, facts_json }),
  );
}

interface OpenUpdate {
  readonly name: string;
  readonly arch: string;
  readonly from_version: string;
  readonly to_version: string;
  readonly class: string;
  readonly held_back: string | null;
}

function keyOf(row: OpenUpdate): string {
  return [row.name, row.arch, row.from_version, row.to_version, row.class, row.held_back ?? ''].join('\0');
}

/** What is missing keeps the time it was first seen; what is not there any more gets the time it went. */
function projectMissing(
  connection: Connection,
  seen: { hostId: string; timeMs: number; updates: readonly Update[] },
): void {
  const open = connection
    .prepare(
      'SELECT rowid, name, arch, from_version, to_version, class, held_back FROM missing_update WHERE host_id = ? AND gone_at IS NULL',
    )
    .all(seen.hostId) as (OpenUpdate & { rowid: number })[];
  const now = new Map(seen.updates.map(openOf).map((row) => [keyOf(row), row]));
  const known = new Set(open.map(keyOf));
  const close = connection.prepare('UPDATE missing_update SET gone_at = ? WHERE rowid = ?');
  for (const row of open) if (!now.has(keyOf(row))) close.run(seen.timeMs, row.rowid);
  for (const [key, row] of now) {
    if (known.has(key)) continue;
    const values = { host_id: seen.hostId, ...row, first_seen: seen.timeMs, gone_at: null };
    run(connection, query.insertInto('missing_update').values(values));
  }
}

function openOf(update: Update): OpenUpdate {
  return {
    name: update.name,
    arch: update.arch,
    from_version: update.from,
    to_version: update.to,
    class: update.class,
    held_back: update.heldBack === undefined ? null : heldWord(update.heldBack),
  };
}

function heldWord(heldBack: HeldBack): string {
  return heldBack.kind === 'phased' && heldBack.percent !== undefined ? `phased ${heldBack.percent} %` : heldBack.kind;
}
