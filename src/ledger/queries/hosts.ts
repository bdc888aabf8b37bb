import type { HostFacts } from '../../domain/scan.ts';
import type { HostRow, PackagesAnswer, PendingUpdateRow, RebootsAnswer } from '../../domain/report.ts';
import type { UpdateClass } from '../../domain/update.ts';
import { readPackageLists } from '../events/packed-event.ts';
import { toReboot } from './runs.ts';
import type { StoredStatus } from '../events/scan-projection.ts';
import { all, first, query, type Connection } from '../store/sqlite.ts';
import type { Tables } from '../store/tables.ts';

type LatestScan = Tables['scan'] & { readonly name: string };

/** The latest scan of each host up to some time. */
function latestScans(connection: Connection, asOfMs: number): readonly LatestScan[] {
  return connection
    .prepare(
      `SELECT scan.*, host.name FROM host
       JOIN scan ON (scan.chain, scan.seq) = (SELECT s.chain, s.seq FROM scan AS s
         WHERE s.host_id = host.host_id AND s.at <= ? ORDER BY s.at DESC, s.chain DESC, s.seq DESC LIMIT 1)
       ORDER BY host.name`,
    )
    .all(asOfMs) as LatestScan[];
}

export function pendingUpdates(connection: Connection, asOfMs: number): readonly PendingUpdateRow[] {
  const rows = all(
    connection,
    query
      .selectFrom('missing_update')
      .innerJoin('host', 'host.host_id', 'missing_update.host_id')
      .selectAll('missing_update')
      .select('host.name as host')
      .where('missing_update.first_seen', '<=', asOfMs)
      .where((where) => where.or([where('gone_at', 'is', null), where('gone_at', '>', asOfMs)]))
      .orderBy('missing_update.name')
      .orderBy('to_version')
      .orderBy('host.name'),
  );
  const keyOf = (row: MissingRow): string => [row.manager, row.name, row.arch, row.to_version, row.class].join('\0');
  return [...Map.groupBy(rows, keyOf).values()].flatMap((same) =>
    same[0] === undefined ? [] : [toPending(same[0], same)],
  );
}

type MissingRow = Tables['missing_update'] & { readonly host: string };

function toPending(one: MissingRow, rows: readonly MissingRow[]): PendingUpdateRow {
  const { manager, name, arch, to_version: to, title, source, severity } = one;
  const advisories = listOf(one.advisories_json);
  const [cves, origins] = [one.cves_json, one.origins_json].map(
    (json) => listOf(json) as readonly string[] | undefined,
  );
  return {
    manager,
    name,
    arch,
    to,
    ...(title === null ? {} : { title }),
    class: one.class as UpdateClass,
    ...(source === null ? {} : { source }),
    ...(one.source_version === null ? {} : { sourceVersion: one.source_version }),
    ...(severity === null ? {} : { severity }),
    ...(one.vendor_severity === null ? {} : { vendorSeverity: one.vendor_severity }),
    ...(advisories === undefined ? {} : { advisories }),
    ...(cves === undefined ? {} : { cves }),
    ...(origins === undefined ? {} : { origins }),
    ...(one.size_bytes === null ? {} : { sizeBytes: one.size_bytes }),
    firstSeenMs: Math.min(...rows.map((row) => row.first_seen)),
    hosts: rows.map(({ host, from_version: from, held_back: heldBack }) => {
      return { host, from, ...(heldBack === null ? {} : { heldBack }) };
    }),
  };
}

function listOf(json: string | null): readonly unknown[] | undefined {
  return json === null ? undefined : (JSON.parse(json) as unknown[]);
}

export function hosts(connection: Connection, asOfMs: number): readonly HostRow[] {
  const scans = new Map(latestScans(connection, asOfMs).map((row) => [row.host_id, row]));
  return all(
    connection,
    query.selectFrom('host').selectAll().where('first_seen', '<=', asOfMs).orderBy('name'),
  ).flatMap((row): HostRow[] => {
    const facts = factsAt(connection, row.host_id, asOfMs);
    const scan = scans.get(row.host_id);
    if (facts === undefined || scan === undefined) return [];
    const { osName, kernel, arch, machineId, bootId, virtualization } = facts;
    return [
      {
        host: row.name,
        hostId: row.host_id,
        firstSeenMs: row.first_seen,
        lastSeenMs: scan.at,
        osName,
        kernel,
        arch,
        packages: (JSON.parse(scan.status_json) as StoredStatus).packages,
        ...(machineId === undefined ? {} : { machineId }),
        ...(bootId === undefined ? {} : { bootId }),
        ...(virtualization === undefined ? {} : { virtualization }),
      },
    ];
  });
}

function factsAt(connection: Connection, hostId: string, asOfMs: number): HostFacts | undefined {
  const row = first(
    connection,
    query
      .selectFrom('host_fact')
      .select('facts_json')
      .where('host_id', '=', hostId)
      .where('seen_from', '<=', asOfMs)
      .orderBy('seen_from', 'desc')
      .limit(1),
  );
  return row === undefined ? undefined : (JSON.parse(row.facts_json) as HostFacts);
}

/** What was installed on a host at some time: the package list of the latest scan before it. */
export function packagesAt(connection: Connection, host: string, asOfMs: number): PackagesAnswer | undefined {
  const row = first(
    connection,
    query
      .selectFrom('scan')
      .select(['scan.at', 'scan.manager', 'scan.packages_sha256'])
      .where(
        'scan.host_id',
        'in',
        query
          .selectFrom('host')
          .select('host_id')
          .where((where) => where.or([where('name', '=', host), where('host_id', '=', host)])),
      )
      .where('scan.at', '<=', asOfMs)
      .orderBy('scan.at', 'desc')
      .orderBy('scan.chain', 'desc')
      .orderBy('scan.seq', 'desc')
      .limit(1),
  );
  if (row === undefined) return undefined;
  const { packages } = readPackageLists(connection, row.packages_sha256);
  return {
    scannedMs: row.at,
    packages: packages.map(({ manager, name, arch, slot, version, state, stateDetail, isHeld }) => ({
      manager,
      name,
      arch,
      ...(slot === undefined ? {} : { slot }),
      version,
      state,
      ...(stateDetail === undefined ? {} : { stateDetail }),
      isHeld: isHeld === true,
    })),
  };
}

export function reboots(connection: Connection, asOfMs: number): RebootsAnswer {
  const pending = latestScans(connection, asOfMs)
    .filter((row) => row.reboot_needed === 'yes')
    .map((row) => ({
      host: row.name,
      sinceMs: pendingSince(connection, row),
      reasons: (JSON.parse(row.status_json) as StoredStatus).rebootReasons,
    }));
  const done = all(
    connection,
    query
      .selectFrom('reboot')
      .selectAll()
      .where('at', '<=', asOfMs)
      .orderBy('at', 'desc')
      .orderBy('chain', 'desc')
      .orderBy('seq', 'desc'),
  ).map(toReboot);
  return { pending, done };
}

/** The first scan since the last one that did not ask for a reboot. */
function pendingSince(connection: Connection, latest: LatestScan): number {
  const row = connection
    .prepare(
      `SELECT MIN(at) AS since FROM scan WHERE host_id = ? AND at <= ? AND at > COALESCE(
         (SELECT MAX(at) FROM scan WHERE host_id = ? AND at < ? AND reboot_needed = 'no'), -1)`,
    )
    .get(latest.host_id, latest.at, latest.host_id, latest.at) as { since: number | null };
  return row.since ?? latest.at;
}
