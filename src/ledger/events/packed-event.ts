import { FettleError } from '../../domain/error.ts';
import type { RunEvent } from '../../domain/event.ts';
import { currentPackage, currentScan } from '../../domain/former-records.ts';
import type { HistoryEntry, HostScan } from '../../domain/scan.ts';
import type { InstalledPackage } from '../../domain/update.ts';
import { getBlob, putBlob } from '../store/blob.ts';
import type { SentEvent } from './sent-event.ts';
import { prepared, type Connection } from '../store/sqlite.ts';

/**
 * A scan as stored: the package lists are a blob, which most scans share, and the event holds its hash. Of the host's own
 * history it holds what no scan before it had.
 */
export type PackedScan = Omit<HostScan, 'packages' | 'autoInstalled' | 'managers'> & {
  /** Absent in scans of releases up to 0.1. */
  readonly managers?: readonly string[];
  readonly packagesSha256: string;
  readonly packageCount: number;
  /** Of releases up to 0.1, which knew one package manager a host. */
  readonly manager?: string;
};

type ScanEvent = Extract<RunEvent, { readonly type: 'host.scanned' }>;
export type PackedScanEvent = Omit<ScanEvent, 'scan'> & { readonly scan: PackedScan };
export type PackedEvent = Exclude<RunEvent, ScanEvent> | PackedScanEvent;

export interface PackageLists {
  readonly packages: readonly InstalledPackage[];
  readonly autoInstalled: readonly string[];
}

export function packEvent(connection: Connection, event: SentEvent): PackedEvent {
  if (event.type !== 'host.scanned') return event;
  const { packageLists, history, ...rest } = event.scan;
  const packagesSha256 = putBlob(connection, packageLists);
  const news = history?.filter((entry) => !isKnown(connection, event.hostId, entry)) ?? [];
  const scan = { ...rest, packagesSha256 };
  return { ...event, scan: news.length === 0 ? scan : { ...scan, history: news } };
}

function isKnown(connection: Connection, hostId: string, { atMs, id, revision, operation }: HistoryEntry): boolean {
  const select = prepared(
    connection,
    'SELECT 1 FROM host_history WHERE host_id = ? AND at = ? AND update_id = ? AND revision = ? AND operation = ?',
  );
  return select.get(hostId, atMs, id, revision, operation) !== undefined;
}

export function readPackageLists(connection: Connection, sha256: string): PackageLists {
  const bytes = getBlob(connection, sha256);
  if (bytes === undefined) {
    throw new FettleError('ledger', `the package list ${sha256} is missing from the ledger`, {
      hint: 'run: fettle ledger verify',
    });
  }
  const lists = JSON.parse(bytes.toString('utf8')) as PackageLists;
  return { ...lists, packages: lists.packages.map(currentPackage) };
}

export function unpackScan(connection: Connection, packed: PackedScan): HostScan {
  const { packagesSha256, packageCount: _count, ...rest } = packed;
  return currentScan({ ...rest, ...readPackageLists(connection, packagesSha256) });
}
