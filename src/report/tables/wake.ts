// `wake`: where packets were sent.
import type { JsonShape } from '../text/json.ts';
import type { Output } from '../text/output.ts';
import type { ReportedError } from './scan-row.ts';
import { renderTable, type Column } from '../text/table.ts';

export interface WakeRow {
  readonly host: string;
  readonly address: string;
  /** Twelve hexadecimal digits each. */
  readonly macs: readonly string[];
  readonly error?: ReportedError;
}

export const wakeJson: JsonShape<WakeRow> = {
  name: 'wake',
  list: 'hosts',
  version: 1,
  fields: {
    host: (row) => row.host,
    address: (row) => row.address,
    macs: (row) => row.macs,
    error: (row) =>
      row.error === undefined ? undefined : { code: row.error.code, message: row.error.message, hint: row.error.hint },
  },
};

export function renderWake(rows: readonly WakeRow[], output: Output): string {
  const columns: readonly Column<WakeRow>[] = [
    { title: 'HOST', text: (row) => row.host },
    { title: 'SENT', text: (row) => row.macs.map((mac) => mac.replace(/..(?=.)/g, '$&:')).join(', ') },
    { title: 'TO', text: (row) => row.address },
    {
      title: 'REMARKS',
      text: ({ error }) =>
        error === undefined
          ? ''
          : [error.message, ...(error.hint === undefined ? [] : [`hint: ${error.hint}`])].join('; '),
      narrow: 'wrap',
      paint: (text, _row, paint) => paint.red(text),
    },
  ];
  return renderTable(columns, rows, { output, empty: 'no hosts' });
}
