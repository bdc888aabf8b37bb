// `ledger stats`, `ledger verify` and `doctor`.
import { formatBytes, formatTime } from '../../base/format.ts';
import { cleanLine, plural } from '../../base/text.ts';
import type { LedgerCheck, LedgerStats } from '../../domain/report.ts';
import type { JsonShape } from '../text/json.ts';
import type { Output } from '../text/output.ts';
import { renderRecord } from '../text/key-value-list.ts';
import { renderTable, type Column } from '../text/table.ts';

export function renderLedgerStats(stats: LedgerStats, output: Output): string {
  const { firstMs, lastMs } = stats;
  return renderRecord(
    [
      ['ledger', stats.path],
      ['schema', String(stats.ledgerSchema)],
      ['size', formatBytes(stats.sizeBytes)],
      ['events', String(stats.events)],
      ['runs', String(stats.runs)],
      ['hosts', String(stats.hosts)],
      ['blobs', `${stats.blobs} (${formatBytes(stats.blobBytes)})`],
      ['first', firstMs === undefined ? undefined : formatTime(firstMs)],
      ['last', lastMs === undefined ? undefined : formatTime(lastMs)],
      ['head', stats.head],
    ],
    output,
  );
}

export function renderLedgerCheck(check: LedgerCheck, { stdout }: Output): string {
  const contents = `${plural(check.events, 'event')}, ${plural(check.blobs, 'blob')}, head ${cleanLine(check.head)}`;
  const comparison = `  ${comparedWith(check)}\n`;
  if (check.problems.length === 0) return `${stdout.paint.green('ok')}: ${contents}\n${comparison}`;
  const lines = check.problems.map((problem) => `  ${cleanLine(problem)}\n`).join('');
  return `${stdout.paint.red('broken')}: ${plural(check.problems.length, 'problem')} in ${contents}\n${comparison}${lines}`;
}

function comparedWith({ heads: { saved, latestSaved, given } }: LedgerCheck): string {
  const parts = [
    ...(latestSaved === undefined ? [] : [`${plural(saved, 'saved head')}, the latest ${latestSaved}`]),
    ...given.map((head) => `given head ${head}`),
  ];
  return parts.length === 0
    ? 'no saved head: it cannot be checked whether events at the end were removed'
    : `compared with ${parts.join('; ')}`;
}

export interface DoctorRow {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly message: string;
  readonly hint?: string;
}

export const doctorJson: JsonShape<DoctorRow> = {
  name: 'doctor',
  list: 'checks',
  version: 1,
  fields: {
    check: (row) => row.check,
    state: (row) => row.state,
    message: (row) => row.message,
    hint: (row) => row.hint,
  },
};

export function renderDoctor(rows: readonly DoctorRow[], output: Output): string {
  const columns: readonly Column<DoctorRow>[] = [
    { title: 'CHECK', text: (row) => row.check },
    {
      title: 'STATE',
      text: (row) => row.state,
      paint: (text, row, paint) =>
        (row.state === 'ok' ? paint.green : row.state === 'failed' ? paint.red : paint.yellow)(text),
    },
    {
      title: 'FOUND',
      text: (row) => row.message + (row.hint === undefined ? '' : `; hint: ${row.hint}`),
      narrow: 'wrap',
    },
  ];
  return renderTable(columns, rows, { output, empty: 'nothing was checked' });
}
