// One table for everything: drawn on a terminal, tab-separated without a header where a program reads.
import type { ChalkInstance } from 'chalk';
import Table from 'cli-table3';
import { cleanLine } from '../../base/text.ts';
import type { Output } from './output.ts';
import { fit, widthOf, wrap } from './width.ts';

export interface Column<Row> {
  readonly title: string;
  /** As a person reads it; cleaned here, so it may hold anything. */
  readonly text: (row: Row) => string;
  /** As a program reads it, where that differs: full times, plain numbers. */
  readonly plain?: (row: Row) => string;
  readonly align?: 'right';
  /** `cut` and `wrap` columns give way, the widest first, when the terminal is narrow; others never do. */
  readonly narrow?: 'cut' | 'wrap';
  readonly paint?: (text: string, row: Row, paint: ChalkInstance) => string;
}

export interface TableOptions {
  /** Printed on a terminal when there are no rows. */
  readonly empty: string;
}

const gap = 2;
const narrowest = 8;

/**
 * Lines, each ended. Colour and width come from `output.stdout`. A column in which nothing stands is not drawn; a pipe
 * gets every column always.
 */
export function renderTable<Row>(
  all: readonly Column<Row>[],
  rows: readonly Row[],
  { output, empty }: TableOptions & { readonly output: Output },
): string {
  const { stdout } = output;
  if (!stdout.isTty) return rows.map((row) => `${all.map((column) => plainCell(column, row)).join('\t')}\n`).join('');
  if (rows.length === 0) return `${empty}\n`;
  const columns = all.filter((column) => rows.some((row) => column.text(row) !== ''));
  const cells = rows.map((row) => columns.map((column) => cleanLine(column.text(row))));
  const natural = columns.map((column, index) =>
    Math.max(widthOf(column.title), ...cells.map((line) => widthOf(line[index] ?? ''))),
  );
  const widths = shrink(columns, natural, stdout.columns() - gap * (columns.length - 1) - 1);
  const table = new Table({
    head: columns.map((column) => stdout.paint.bold(column.title)),
    colAligns: columns.map((column) => column.align ?? 'left'),
    chars: borderless,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const [at, row] of rows.entries()) {
    table.push(
      columns.map((column, index) =>
        cell(column, row, { text: cells[at]?.[index] ?? '', width: widths[index] ?? 0, paint: stdout.paint }),
      ),
    );
  }
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

function plainCell<Row>(column: Column<Row>, row: Row): string {
  return cleanLine((column.plain ?? column.text)(row));
}

interface CellLook {
  readonly text: string;
  readonly width: number;
  readonly paint: ChalkInstance;
}

function cell<Row>(column: Column<Row>, row: Row, { text, width, paint }: CellLook): string {
  const lines = column.narrow === 'wrap' ? wrap(text, width) : [fit(text, width)];
  return lines.map((line) => (column.paint === undefined ? line : column.paint(line, row, paint))).join('\n');
}

/** Takes columns from the widest that give way until the line fits or all are as narrow as may be. */
function shrink<Row>(columns: readonly Column<Row>[], natural: readonly number[], room: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  while (excess > 0) {
    let widest = -1;
    for (const [index, column] of columns.entries()) {
      const width = widths[index] ?? 0;
      if (column.narrow === undefined || width <= narrowest) continue;
      if (widest === -1 || width > (widths[widest] ?? 0)) widest = index;
    }
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}

const borderless = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(gap),
};
