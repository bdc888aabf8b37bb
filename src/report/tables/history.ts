// `report history`: what happened on hosts, the latest first.
import { formatTime, isoTime } from '../../base/format.ts';
import type { HistoryRow, HostStatusRow } from '../../domain/report.ts';
import { doubtSince, doubtWords, renderDoubts } from './doubts.ts';
import { labelFields } from './ledger-json.ts';
import { jsonTime, type JsonShape } from '../text/json.ts';
import type { Output } from '../text/output.ts';
import { renderTable, type Column } from '../text/table.ts';

export const historyJson: JsonShape<HistoryRow> = {
  name: 'report-history',
  list: 'history',
  version: 1,
  fields: {
    at: (row) => jsonTime(row.atMs),
    host: (row) => row.host,
    kind: (row) => row.kind,
    name: (row) => row.name,
    from: (row) => row.from,
    to: (row) => row.to,
    state: (row) => row.state,
    isBad: (row) => row.isBad,
    title: (row) => row.title,
    message: (row) => row.message,
    run: (row) => row.run,
    manager: (row) => row.manager,
    client: (row) => row.client,
    ...labelFields((row: HistoryRow) => row.labels),
  },
};

/** `doubts` are hosts of which something may be missing, their own records above all: those come with a scan. */
export function renderHistory(
  rows: readonly HistoryRow[],
  doubts: readonly HostStatusRow[],
  { output, nowMs }: { readonly output: Output; readonly nowMs: number },
): string {
  const columns: readonly Column<HistoryRow>[] = [
    { title: 'AT', text: (row) => formatTime(row.atMs), plain: (row) => isoTime(row.atMs) },
    { title: 'HOST', text: (row) => row.host },
    { title: 'UPDATE', text: (row) => row.name ?? '', narrow: 'cut' },
    { title: 'FROM', text: (row) => row.from ?? '', narrow: 'cut' },
    { title: 'TO', text: (row) => row.to ?? '', narrow: 'cut' },
    {
      title: 'STATE',
      text: (row) => row.state,
      paint: (text, row, paint) => (row.isBad ? paint.red(text) : text),
    },
    { title: 'BY', text: askedBy },
    {
      title: 'REMARKS',
      text: (row) => [row.title, row.message].filter((words) => words !== undefined).join('; '),
      narrow: 'wrap',
    },
  ];
  const table = renderTable(columns, rows, { output, empty: 'no matching entries' });
  if (output.stdout.isTty) return table + renderDoubts(doubts, { output, nowMs });
  return table + renderTable(doubtColumns, doubts, { output, empty: '' });
}

/** In a pipe they follow as rows with the same columns. */
const doubtColumns: readonly Column<HostStatusRow>[] = [
  { title: 'AT', text: doubtSince },
  { title: 'HOST', text: (row) => row.host },
  { title: 'UPDATE', text: () => '-' },
  { title: 'FROM', text: () => '-' },
  { title: 'TO', text: () => '-' },
  { title: 'STATE', text: () => 'unknown' },
  { title: 'BY', text: () => '-' },
  { title: 'REMARKS', text: (row) => doubtWords(row, isoTime) },
];

/** The run of this ledger, or whoever the host itself names. */
function askedBy({ run, client }: HistoryRow): string {
  if (run !== undefined) return run;
  return client === undefined || client === '' ? 'the host' : client;
}
