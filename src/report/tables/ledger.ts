// `report …`: answers of the ledger.
import { formatAge, isoTime } from '../../base/format.ts';
import { foldHostNames } from '../../base/host-names.ts';
import { isInDoubt, stateOf } from '../../domain/host-state.ts';
import type { HostRow, HostStatusRow, KnownHostRow, PackageRow, PendingUpdateRow } from '../../domain/report.ts';
import { doubtSince, doubtWords, isScanned, renderDoubts, type ScannedHost } from './doubts.ts';
import type { Output } from '../text/output.ts';
import { packageWords } from '../text/package-text.ts';
import { renderTable, type Column } from '../text/table.ts';
import { paintStanding } from '../run/verdicts.ts';
import { packageLabel } from '../../domain/update.ts';

interface Shown {
  readonly output: Output;
  /** The time asked about (`--as-of`), else now. */
  readonly nowMs: number;
}

/** `report status`. */
export function renderStatus(rows: readonly HostStatusRow[], { output, nowMs }: Shown): string {
  const known = (read: (row: ScannedHost) => string) => (row: HostStatusRow) => (isScanned(row) ? read(row) : '-');
  const columns: readonly Column<HostStatusRow>[] = [
    { title: 'HOST', text: (row) => row.host },
    { title: 'SYSTEM', text: known((row) => row.osName), narrow: 'cut' },
    {
      title: 'SECURITY',
      text: known((row) => (row.securityKnown ? String(row.security) : 'unknown')),
      align: 'right',
      paint: (text, row, paint) => (isScanned(row) && row.securityKnown && row.security === 0 ? text : paint.red(text)),
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
      text: (row) => `${isScanned(row) ? formatAge(row.scannedMs, nowMs) : 'never'}${isStaleRow(row) ? ', stale' : ''}`,
      plain: (row) => (isScanned(row) ? isoTime(row.scannedMs) : 'never'),
      paint: (text, row, paint) => (isScanned(row) && !isStaleRow(row) ? text : paint.yellow(text)),
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
  return renderTable(columns, rows, { output, empty: 'the ledger has no hosts; scan with: fettle scan' });
}

/** The answer is old, or the host's own lists were when it gave it. */
function isStaleRow(row: HostStatusRow): boolean {
  return isScanned(row) && (row.isOld || row.isStale);
}

function statusRemarks(row: HostStatusRow, time: (ms: number) => string): string {
  const doubts = doubtWords(row, time);
  if (!isScanned(row)) return doubts;
  const broken = row.broken === 0 ? [] : [`${row.broken} packages not properly installed`];
  return [...(doubts === '' ? [] : [doubts]), ...broken, ...row.problems].join('; ');
}

/** In a pipe, a host whose updates are not known has a row with the same columns. */
type UpdateLine = PendingUpdateRow | { readonly doubt: HostStatusRow };

function ofUpdate(read: (row: PendingUpdateRow) => string, readDoubt: (row: HostStatusRow) => string) {
  return (line: UpdateLine): string => ('doubt' in line ? readDoubt(line.doubt) : read(line));
}

/** `report updates`; `doubts` are the hosts of which the pending updates are not known for certain. */
export function renderUpdates(
  rows: readonly PendingUpdateRow[],
  doubts: readonly HostStatusRow[],
  { output, nowMs }: Shown,
): string {
  const empty = 'no pending updates recorded';
  const columns = updateColumns(nowMs);
  if (output.stdout.isTty) {
    return renderTable(columns, rows, { output, empty }) + renderDoubts(doubts, { output, nowMs });
  }
  return renderTable(columns, [...rows, ...doubts.map((doubt) => ({ doubt }))], { output, empty });
}

function updateColumns(nowMs: number): readonly Column<UpdateLine>[] {
  const none = (): string => '-';
  return [
    { title: 'PACKAGE', text: ofUpdate(packageWords, none), plain: ofUpdate(packageLabel, none), narrow: 'cut' },
    { title: 'TO', text: ofUpdate((row) => row.to, none), narrow: 'cut' },
    {
      title: 'CLASS',
      text: ofUpdate(
        (row) => row.class,
        () => 'unknown',
      ),
      paint: (text, _row, paint) => (text === 'security' ? paint.red(text) : text),
    },
    {
      title: 'SEEN',
      text: ofUpdate((row) => formatAge(row.firstSeenMs, nowMs), doubtSince),
      plain: ofUpdate((row) => isoTime(row.firstSeenMs), doubtSince),
    },
    {
      title: 'COUNT',
      text: ofUpdate(
        (row) => String(row.hosts.length),
        () => '1',
      ),
      align: 'right',
    },
    { title: 'HOSTS', text: ofUpdate(updateHosts, (row) => row.host), narrow: 'wrap' },
    {
      title: 'TITLE',
      text: ofUpdate(
        (row) => row.title ?? '',
        (row) => doubtWords(row, isoTime),
      ),
      narrow: 'cut',
    },
  ];
}

/** Hosts folded by the reason that holds the update back. */
function updateHosts({ hosts }: PendingUpdateRow): string {
  const byReason = Map.groupBy(hosts, (host) => host.heldBack ?? '');
  return [...byReason]
    .map(([reason, group]) => foldHostNames(group.map((item) => item.host)) + (reason === '' ? '' : ` (${reason})`))
    .join('; ');
}

/** `report hosts`: every host that was ever selected, whether anything is known of it or not. */
export function renderHosts(rows: readonly KnownHostRow[], { output, nowMs }: Shown): string {
  const known = (read: (facts: HostRow) => string) => (row: KnownHostRow) =>
    row.facts === undefined ? '-' : read(row.facts);
  const age = (ms: number): string => formatAge(ms, nowMs);
  const columns: readonly Column<KnownHostRow>[] = [
    { title: 'HOST', text: (row) => row.status.host },
    { title: 'SYSTEM', text: known((row) => row.osName), narrow: 'cut' },
    { title: 'KERNEL', text: known((row) => row.kernel), narrow: 'cut' },
    { title: 'ARCH', text: known((row) => row.arch) },
    { title: 'ON', text: known((row) => row.virtualization ?? '') },
    { title: 'PACKAGES', text: known((row) => String(row.packages)), align: 'right' },
    {
      title: 'FIRST SEEN',
      text: ({ status }) => (status.firstSeenMs === undefined ? 'never' : age(status.firstSeenMs)),
      plain: ({ status }) => (status.firstSeenMs === undefined ? 'never' : isoTime(status.firstSeenMs)),
    },
    {
      title: 'SCANNED',
      text: ({ status }) => (isScanned(status) ? age(status.scannedMs) : 'never'),
      plain: ({ status }) => (isScanned(status) ? isoTime(status.scannedMs) : 'never'),
    },
    {
      title: 'STATE',
      text: (row) => stateOf(row.status),
      paint: (text, _row, paint) => (text === 'scanned' ? text : paint.yellow(text)),
    },
  ];
  const empty = 'the ledger has no hosts; scan with: fettle scan';
  if (output.stdout.isTty) {
    const doubts = rows.map((row) => row.status).filter(isInDoubt);
    return renderTable(columns, rows, { output, empty }) + renderDoubts(doubts, { output, nowMs });
  }
  const remarks = { title: 'REMARKS', text: (row: KnownHostRow) => doubtWords(row.status, isoTime) };
  return renderTable([...columns, remarks], rows, { output, empty });
}

/** `report hosts HOST`; `doubt` is given where the list may not be so any more. */
export function renderPackages(
  rows: readonly PackageRow[],
  doubt: HostStatusRow | undefined,
  { output, nowMs }: Shown,
): string {
  const shown = rows.map(({ name, arch, version, manager, ...row }) => [
    name,
    arch || '-',
    version,
    manager,
    stateOfPackage(row),
  ]);
  const columns = ['PACKAGE', 'ARCH', 'VERSION', 'MANAGER', 'STATE'].map((title, at): Column<readonly string[]> => ({
    title,
    text: (cells) => cells[at] ?? '',
    ...(title === 'PACKAGE' || title === 'VERSION' ? { narrow: 'cut' } : {}),
  }));
  const empty = 'no packages are recorded for it';
  if (doubt === undefined) return renderTable(columns, shown, { output, empty });
  if (output.stdout.isTty) {
    return renderTable(columns, shown, { output, empty }) + renderDoubts([doubt], { output, nowMs });
  }
  const unknown = ['-', '-', '-', '-', `unknown: ${doubtWords(doubt, isoTime)}`];
  return renderTable(columns, [...shown, unknown], { output, empty });
}

function stateOfPackage({ state, stateDetail, isHeld }: Pick<PackageRow, 'state' | 'stateDetail' | 'isHeld'>): string {
  const words = state === 'broken' && stateDetail !== undefined ? `broken (${stateDetail})` : state;
  return isHeld ? `${words}, held` : words;
}
