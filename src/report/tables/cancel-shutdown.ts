// `shutdown --cancel`: what was scheduled on each host.
import type { Outcome } from '../../domain/outcome.ts';
import type { JsonShape } from '../text/json.ts';
import type { Output } from '../text/output.ts';
import { renderTable, type Column } from '../text/table.ts';

export interface CallOffRow {
  readonly host: string;
  readonly outcome: Outcome;
}

export const callOffJson: JsonShape<CallOffRow> = {
  name: 'shutdown-cancel',
  list: 'hosts',
  version: 1,
  fields: {
    host: (row) => row.host,
    isDone: (row) => row.outcome.verdict === 'verified',
    message: (row) => row.outcome.reason,
    error: (row) => row.outcome.error,
    hint: (row) => row.outcome.hint,
  },
};

export function renderCallOff(rows: readonly CallOffRow[], output: Output): string {
  const columns: readonly Column<CallOffRow>[] = [
    { title: 'HOST', text: (row) => row.host },
    {
      title: 'RESULT',
      text: ({ outcome: { reason, hint } }) => (hint === undefined ? reason : `${reason}; hint: ${hint}`),
      narrow: 'wrap',
      paint: (text, row, paint) => (row.outcome.verdict === 'verified' ? text : paint.red(text)),
    },
  ];
  return renderTable(columns, rows, { output, empty: 'no hosts' });
}
