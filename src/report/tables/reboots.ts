// `report reboots`: who waits for one, of whom that is not known, and those that were done.
import { formatAge, formatDuration, formatTime, isoTime } from '../../base/format.ts';
import type { HostStatusRow, PendingRebootRow, RebootRow } from '../../domain/report.ts';
import { doubtSince, doubtWords, renderDoubts } from './doubts.ts';
import type { Output } from '../text/output.ts';
import { renderTable, type Column } from '../text/table.ts';

export interface RebootReport {
  readonly pending: readonly PendingRebootRow[];
  readonly doubts: readonly HostStatusRow[];
  readonly done: readonly RebootRow[];
}

/** One row of a pipe: every kind has the same columns. */
interface Line {
  readonly host: string;
  readonly state: 'pending' | 'unknown' | 'done';
  readonly at: string;
  readonly downMs?: number;
  readonly bootId?: string;
  readonly reasons: string;
  readonly run?: string;
}

export function renderRebootReport(
  { pending, doubts, done }: RebootReport,
  { output, nowMs }: { readonly output: Output; readonly nowMs: number },
): string {
  if (!output.stdout.isTty) return renderTable(lineColumns, linesOf({ pending, doubts, done }), { output, empty: '' });
  return [
    renderPendingReboots(pending, { output, nowMs }),
    renderDoubts(doubts, { output, nowMs }),
    '\n',
    renderReboots(done, output),
  ].join('');
}

const lineColumns: readonly Column<Line>[] = [
  { title: 'HOST', text: (row) => row.host },
  { title: 'STATE', text: (row) => row.state },
  { title: 'AT', text: (row) => row.at },
  { title: 'DOWN', text: (row) => (row.downMs === undefined ? '' : String(row.downMs)) },
  { title: 'BOOT ID', text: (row) => row.bootId ?? '' },
  { title: 'REASONS', text: (row) => row.reasons },
  { title: 'RUN', text: (row) => row.run ?? '' },
];

function linesOf({ pending, doubts, done }: RebootReport): Line[] {
  return [
    ...pending.map(({ host, sinceMs, reasons }): Line => {
      return { host, state: 'pending', at: isoTime(sinceMs), reasons: reasons.join('; ') };
    }),
    ...doubts.map((row): Line => {
      return { host: row.host, state: 'unknown', at: doubtSince(row), reasons: rebootDoubt(row, isoTime) };
    }),
    ...done.map(({ host, atMs, downMs, bootIdAfter, reasons, run }): Line => {
      return { host, state: 'done', at: isoTime(atMs), downMs, bootId: bootIdAfter, reasons: reasons.join('; '), run };
    }),
  ];
}

/** The scan itself may be complete although the host cannot determine whether a reboot is pending. */
function rebootDoubt(row: HostStatusRow, time: (ms: number) => string): string {
  const words = doubtWords(row, time);
  return words === '' ? 'the host does not report whether it needs a reboot' : words;
}

function renderPendingReboots(
  rows: readonly PendingRebootRow[],
  { output, nowMs }: { readonly output: Output; readonly nowMs: number },
): string {
  const columns: readonly Column<PendingRebootRow>[] = [
    { title: 'HOST', text: (row) => row.host },
    { title: 'SINCE', text: (row) => formatAge(row.sinceMs, nowMs) },
    { title: 'REASONS', text: (row) => row.reasons.join('; '), narrow: 'wrap' },
  ];
  return renderTable(columns, rows, { output, empty: 'no host is recorded as waiting for a reboot' });
}

function renderReboots(rows: readonly RebootRow[], output: Output): string {
  const columns: readonly Column<RebootRow>[] = [
    { title: 'HOST', text: (row) => row.host },
    { title: 'AT', text: (row) => formatTime(row.atMs) },
    {
      title: 'DOWN',
      text: (row) => (row.downMs === 0 ? '' : formatDuration(row.downMs)),
      align: 'right',
    },
    { title: 'BOOT ID', text: (row) => row.bootIdAfter, narrow: 'cut' },
    { title: 'REASONS', text: (row) => row.reasons.join('; '), narrow: 'wrap' },
    { title: 'RUN', text: (row) => row.run },
  ];
  return renderTable(columns, rows, { output, empty: 'no reboots recorded' });
}
