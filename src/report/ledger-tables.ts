// `report …`: answers of the ledger.
import { formatAge, formatDuration, formatTime, isoTime } from '../base/format.ts';
import { foldHostNames } from '../base/host-names.ts';
import type {
  HostRow,
  HostStatusRow,
  PackageRow,
  PendingRebootRow,
  PendingUpdateRow,
  RebootRow,
  ScannedStatus,
} from '../domain/report.ts';
import type { Output } from './output.ts';
import { packageWords } from './package-words.ts';
import { renderTable, type Column } from './table.ts';
import { paintStanding } from './verdicts.ts';

function age<Row>(title: string, read: (row: Row) => number, nowMs: number): Column<Row> {
  return { title, text: (row) => formatAge(read(row), nowMs), plain: (row) => isoTime(read(row)) };
}

/** `report status`; `nowMs` is the time asked about (`--as-of`), else now. */
export function renderStatus(
  rows: readonly HostStatusRow[],
  { output, nowMs = output.clock.now() }: { readonly output: Output; readonly nowMs?: number | undefined },
): string {
  const known = (read: (row: KnownRow) => string) => (row: HostStatusRow) => (isKnown(row) ? read(row) : '-');
  const columns: readonly Column<HostStatusRow>[] = [
    { title: 'HOST', text: (row) => row.host },
    { title: 'SYSTEM', text: known((row) => row.osName), narrow: 'cut' },
    {
      title: 'SECURITY',
      text: known((row) => (row.securityKnown ? String(row.security) : 'unknown')),
      align: 'right',
      paint: (text, row, paint) => (isKnown(row) && row.securityKnown && row.security === 0 ? text : paint.red(text)),
    },
    { title: 'OTHER', text: known((row) => String(row.other)), align: 'right' },
    { title: 'HELD', text: known((row) => String(row.heldBack)), align: 'right' },
    {
      title: 'REBOOT',
      text: known((row) => row.rebootNeeded),
      paint: (text, _row, paint) => (text === 'yes' ? paint.yellow(text) : text),
    },
    {
      title: 'SCANNED',
      text: (row) => `${isKnown(row) ? formatAge(row.scannedMs, nowMs) : 'never'}${isStaleRow(row) ? ', stale' : ''}`,
      plain: (row) => (isKnown(row) ? isoTime(row.scannedMs) : 'never'),
      paint: (text, row, paint) => (isKnown(row) && !isStaleRow(row) ? text : paint.yellow(text)),
    },
    {
      title: 'LAST RUN',
      text: (row) => row.lastVerdict ?? '',
      paint: (text, _row, paint) => paintStanding(text, paint),
    },
    {
      title: 'REMARKS',
      text: (row) => statusRemarks(row, (ms) => formatAge(ms, nowMs)),
      plain: (row) => statusRemarks(row, isoTime),
      narrow: 'wrap',
    },
  ];
  return renderTable(columns, rows, { output, empty: 'the ledger knows no host; scan with: fettle scan' });
}

type KnownRow = HostStatusRow & ScannedStatus;

function isKnown(row: HostStatusRow): row is KnownRow {
  return row.scannedMs !== undefined;
}

/** The answer is old, or the host's own lists were when it gave it. */
function isStaleRow(row: HostStatusRow): boolean {
  return isKnown(row) && (row.isOld || row.isStale);
}

function statusRemarks(row: HostStatusRow, time: (ms: number) => string): string {
  const { unreachableSinceMs: sinceMs, lastFailure = '' } = row;
  const away = sinceMs === undefined ? [] : [`unreachable since ${time(sinceMs)}: ${lastFailure}`];
  if (!isKnown(row)) return ['never scanned', ...away].join('; ');
  const old = row.isOld ? ['stale: the scan is old'] : [];
  const stale = row.isStale ? ['stale: its package metadata was old'] : [];
  const broken = row.broken === 0 ? [] : [`${row.broken} packages not properly installed`];
  return [...away, ...old, ...stale, ...broken, ...row.problems].join('; ');
}

export function renderUpdates(
  rows: readonly PendingUpdateRow[],
  { output, nowMs = output.clock.now() }: { readonly output: Output; readonly nowMs?: number | undefined },
): string {
  const columns: readonly Column<PendingUpdateRow>[] = [
    { title: 'PACKAGE', text: packageWords, plain: (row) => `${row.name}:${row.arch}`, narrow: 'cut' },
    { title: 'TO', text: (row) => row.to, narrow: 'cut' },
    {
      title: 'CLASS',
      text: (row) => row.class,
      paint: (text, _row, paint) => (text === 'security' ? paint.red(text) : text),
    },
    age('SEEN', (row) => row.firstSeenMs, nowMs),
    { title: 'COUNT', text: (row) => String(row.hosts.length), align: 'right' },
    { title: 'HOSTS', text: updateHosts, narrow: 'wrap' },
    { title: 'TITLE', text: (row) => row.title ?? '', narrow: 'cut' },
  ];
  return renderTable(columns, rows, { output, empty: 'no pending updates are known' });
}

/** Hosts folded by why they do not have it. */
function updateHosts({ hosts }: PendingUpdateRow): string {
  const byReason = Map.groupBy(hosts, (host) => host.heldBack ?? '');
  return [...byReason]
    .map(([reason, group]) => foldHostNames(group.map((item) => item.host)) + (reason === '' ? '' : ` (${reason})`))
    .join('; ');
}

export function renderHosts(
  rows: readonly HostRow[],
  { output, nowMs = output.clock.now() }: { readonly output: Output; readonly nowMs?: number | undefined },
): string {
  const columns: readonly Column<HostRow>[] = [
    { title: 'HOST', text: (row) => row.host },
    { title: 'SYSTEM', text: (row) => row.osName, narrow: 'cut' },
    { title: 'KERNEL', text: (row) => row.kernel, narrow: 'cut' },
    { title: 'ARCH', text: (row) => row.arch },
    { title: 'ON', text: (row) => row.virtualization ?? '' },
    { title: 'PACKAGES', text: (row) => String(row.packages), align: 'right' },
    age('FIRST SEEN', (row) => row.firstSeenMs, nowMs),
    age('LAST SEEN', (row) => row.lastSeenMs, nowMs),
  ];
  return renderTable(columns, rows, { output, empty: 'the ledger knows no host; scan with: fettle scan' });
}

export function renderPackages(rows: readonly PackageRow[], output: Output): string {
  const columns: readonly Column<PackageRow>[] = [
    { title: 'PACKAGE', text: (row) => row.name, narrow: 'cut' },
    { title: 'ARCH', text: (row) => row.arch },
    { title: 'VERSION', text: (row) => row.version, narrow: 'cut' },
    { title: 'STATUS', text: (row) => row.status },
  ];
  return renderTable(columns, rows, { output, empty: 'no packages are known of it' });
}

export function renderPendingReboots(
  rows: readonly PendingRebootRow[],
  { output, nowMs = output.clock.now() }: { readonly output: Output; readonly nowMs?: number | undefined },
): string {
  const columns: readonly Column<PendingRebootRow>[] = [
    { title: 'HOST', text: (row) => row.host },
    age('SINCE', (row) => row.sinceMs, nowMs),
    { title: 'REASONS', text: (row) => row.reasons.join('; '), narrow: 'wrap' },
  ];
  return renderTable(columns, rows, { output, empty: 'no host is known to wait for a reboot' });
}

export function renderReboots(rows: readonly RebootRow[], output: Output): string {
  const columns: readonly Column<RebootRow>[] = [
    { title: 'HOST', text: (row) => row.host },
    { title: 'AT', text: (row) => formatTime(row.atMs), plain: (row) => isoTime(row.atMs) },
    {
      title: 'DOWN',
      text: (row) => (row.downMs === 0 ? '' : formatDuration(row.downMs)),
      plain: (row) => String(row.downMs),
      align: 'right',
    },
    { title: 'BOOT ID', text: (row) => row.bootIdAfter, narrow: 'cut' },
    { title: 'REASONS', text: (row) => row.reasons.join('; '), narrow: 'wrap' },
    { title: 'RUN', text: (row) => row.run },
  ];
  return renderTable(columns, rows, { output, empty: 'no reboot is recorded' });
}
