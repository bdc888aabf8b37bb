import type { HistoryEntry, HostFacts } from '../../domain/scan.ts';
import { scanStatus, type ScanStatus } from '../../domain/scan-status.ts';
import type { PendingCounts } from '../../domain/update.ts';
import { projectMissing } from './missing-updates.ts';
import type { PackedScan, PackedScanEvent } from './packed-event.ts';
import { one, query, template, type Connection, type Slots } from '../store/sqlite.ts';
import type { Tables } from '../store/tables.ts';

interface ProjectedScan {
  readonly chain: string;
  readonly seq: number;
  readonly timeMs: number;
  readonly event: PackedScanEvent;
}

/** What of a scan has no column of its own. */
export interface StoredStatus extends Omit<ScanStatus, keyof PendingCounts | 'rebootNeeded' | 'isIncomplete'> {
  readonly packages: number;
  /** Package managers of the host; absent in scans of releases up to 0.1. */
  readonly managers?: readonly string[];
  /** Updates may be missing from the answer; absent where it was complete. */
  readonly isIncomplete?: true;
}

const insertScan = template((slot: Slots<Tables['scan']>) =>
  query.insertInto('scan').values({
    chain: slot('chain'),
    seq: slot('seq'),
    host_id: slot('host_id'),
    run: slot('run'),
    purpose: slot('purpose'),
    at: slot('at'),
    manager: slot('manager'),
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

export function projectScan(connection: Connection, { chain, seq, timeMs, event }: ProjectedScan): void {
  const { scan, hostId } = event;
  const status = scanStatus(scan);
  insertScan.run(connection, {
    chain,
    seq,
    host_id: hostId,
    run: event.run,
    purpose: event.purpose,
    at: timeMs,
    manager: onlyManager(scan),
    security: status.security,
    other: status.other,
    held_back: status.heldBack,
    reboot_needed: status.rebootNeeded,
    status_json: JSON.stringify(storedStatus(status, scan)),
    packages_sha256: scan.packagesSha256,
  });
  projectFacts(connection, { hostId, timeMs, facts: scan.facts });
  projectMissing(connection, { chain, seq, hostId, timeMs, scan });
  for (const entry of scan.history ?? []) insertHistory.run(connection, historyRow(hostId, entry));
}

/** Releases up to 0.1 recorded one, and none beside it. */
function onlyManager({ manager, managers = manager === undefined ? [] : [manager] }: PackedScan): string | null {
  return managers.length === 1 ? (managers[0] ?? null) : null;
}

function historyRow(hostId: string, entry: HistoryEntry): Tables['host_history'] {
  const { atMs, id, revision, operation, name, title, result, message = null, client } = entry;
  return { host_id: hostId, at: atMs, update_id: id, revision, operation, name, title, result, message, client };
}

/** Its text is compared with the text of other releases: the order of the fields is part of the schema. */
function storedStatus(status: ScanStatus, { packageCount, managers }: PackedScan): StoredStatus {
  const { osName, kernel, securityKnown, isStale, metadataFetchedMs, rebootReasons, broken, problems } = status;
  return {
    osName,
    kernel,
    securityKnown,
    isStale,
    ...(metadataFetchedMs === undefined ? {} : { metadataFetchedMs }),
    rebootReasons,
    broken,
    problems,
    packages: packageCount,
    ...(managers === undefined ? {} : { managers }),
    ...(status.isIncomplete ? { isIncomplete: true } : {}),
  };
}

/** A row only where something changed; uptime and clock always change and are left out. */
function projectFacts(connection: Connection, observed: { hostId: string; timeMs: number; facts: HostFacts }): void {
  const { uptimeSec: _uptime, clockSkewMs: _skew, ...steady } = observed.facts;
  const facts_json = JSON.stringify(steady);
  const { hostId: host_id, timeMs } = observed;
  const latest = latestFacts.first(connection, { host_id });
  const isSame = latest !== undefined && (latest.facts_json === facts_json || latest.seen_from === timeMs);
  if (isSame) extendFacts.run(connection, { host_id, seen_from: latest.seen_from, seen_to: timeMs, facts_json });
  else insertFacts.run(connection, { host_id, seen_from: timeMs, seen_to: timeMs, facts_json });
}
