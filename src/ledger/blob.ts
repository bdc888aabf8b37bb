import { hash } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { FettleError } from '../domain/error.ts';
import type { RunEvent } from '../domain/event.ts';
import type { HistoryEntry, HostScan } from '../domain/scan.ts';
import type { InstalledPackage } from '../domain/update.ts';
import type { SentEvent } from './sent-event.ts';
import { prepared, type Connection } from './sqlite.ts';

/** Same bytes, same name; stored compressed once. */
export function putBlob(connection: Connection, bytes: Uint8Array): string {
  const sha256 = hash('sha256', bytes);
  const known = prepared(connection, 'SELECT 1 FROM blob WHERE sha256 = ?').get(sha256);
  if (known === undefined) {
    const insert = prepared(connection, 'INSERT INTO blob (sha256, size, body) VALUES (?, ?, ?)');
    insert.run(sha256, bytes.length, zstdCompressSync(bytes));
  }
  return sha256;
}

export function getBlob(connection: Connection, sha256: string): Buffer | undefined {
  const row = prepared(connection, 'SELECT body FROM blob WHERE sha256 = ?').get(sha256) as
    { body: Buffer } | undefined;
  return row === undefined ? undefined : zstdDecompressSync(row.body);
}

/** Every blob is what its name says, and each that an event names is there; `references` gives the event. */
export function checkBlobs(
  connection: Connection,
  references: ReadonlyMap<string, number>,
): { count: number; problems: string[] } {
  const problems: string[] = [];
  const there = new Set<string>();
  const rows = connection.prepare('SELECT sha256, size, body FROM blob').iterate() as IterableIterator<{
    sha256: string;
    size: number;
    body: Buffer;
  }>;
  for (const { sha256, size, body } of rows) {
    there.add(sha256);
    const bytes = decompressed(body);
    if (bytes === undefined || hash('sha256', bytes) !== sha256) problems.push(`blob ${sha256} was altered`);
    else if (bytes.length !== size) problems.push(`blob ${sha256} was altered: its size differs`);
  }
  for (const [sha256, seq] of references) {
    if (!there.has(sha256)) problems.push(`blob ${sha256}, which event ${seq} names, is missing`);
  }
  return { count: there.size, problems };
}

function decompressed(body: Buffer): Buffer | undefined {
  try {
    return zstdDecompressSync(body);
  } catch {
    return undefined;
  }
}

/**
 * A scan as stored: the package lists are a blob, which most scans share, and the event holds its hash. Of the host's own
 * history it holds what no scan before it had.
 */
export type PackedScan = Omit<HostScan, 'packages' | 'autoInstalled'> & {
  readonly packagesSha256: string;
  readonly packageCount: number;
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
    throw new FettleError('ledger', `the ledger lacks the package list ${sha256}`, {
      hint: 'run: fettle ledger verify',
    });
  }
  return JSON.parse(bytes.toString('utf8')) as PackageLists;
}

export function unpackScan(connection: Connection, packed: PackedScan): HostScan {
  const { packagesSha256, packageCount: _count, ...rest } = packed;
  return { ...rest, ...readPackageLists(connection, packagesSha256) };
}
