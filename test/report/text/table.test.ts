import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderRecord } from '../../../src/report/text/key-value-list.ts';
import { renderTable, type Column } from '../../../src/report/text/table.ts';
import { fill, fit, widthOf, wrap } from '../../../src/report/text/width.ts';
import { fakeOutput, nasty, steering } from '../fake-output.ts';

interface Row {
  readonly host: string;
  readonly count: number;
  readonly remark: string;
}

const columns: readonly Column<Row>[] = [
  { title: 'HOST', text: (row) => row.host },
  { title: 'COUNT', text: (row) => `${row.count} things`, plain: (row) => String(row.count), align: 'right' },
  { title: 'REMARK', text: (row) => row.remark, narrow: 'wrap', paint: (text, _row, paint) => paint.red(text) },
];

const rows: readonly Row[] = [
  { host: 'web01', count: 7, remark: 'short' },
  { host: 'a-rather-long-name', count: 12, remark: 'a remark that needs more than one line on a narrow terminal' },
];

test('a pipe gets tab-separated fields without header or colour, whole and one row a line', () => {
  const { output } = fakeOutput({ colour: true });
  const text = renderTable(columns, [...rows, { host: 'x\ty\nz', count: 0, remark: '' }], { output, empty: 'none' });
  assert.equal(text, `web01\t7\tshort\na-rather-long-name\t12\t${rows[1]?.remark}\nx y z\t0\t\n`);
});

test('a terminal gets a header and columns, wrapped where a column may', () => {
  const { output } = fakeOutput({ isTty: true, columns: 50 });
  assert.equal(
    renderTable(columns, rows, { output, empty: 'none' }),
    [
      'HOST                    COUNT  REMARK',
      'web01                7 things  short',
      'a-rather-long-name  12 things  a remark that',
      '                               needs more than',
      '                               one line on a',
      '                               narrow terminal',
      '',
    ].join('\n'),
  );
});

test('wide characters keep the columns straight', () => {
  const { output } = fakeOutput({ isTty: true });
  const text = renderTable(
    columns,
    [
      { host: '日本語', count: 1, remark: 'x' },
      { host: 'web01', count: 2, remark: 'x' },
    ],
    { output, empty: 'none' },
  );
  const [, first = '', second = ''] = text.split('\n');
  assert.equal(widthOf(first), widthOf(second));
});

test('nothing in a cell steers the terminal, drawn or piped', () => {
  for (const isTty of [true, false]) {
    const { output } = fakeOutput({ isTty });
    const text = renderTable(columns, [{ host: nasty, count: 1, remark: nasty }], { output, empty: 'none' });
    assert.deepEqual(steering(text, '\n\t'), []);
    if (!isTty) assert.equal(text.split('\n').length, 2);
    assert.deepEqual(steering(renderRecord([['name', nasty]], output), '\n\t'), []);
  }
});

test('no rows: a word on a terminal, nothing in a pipe; a column without content is not drawn', () => {
  assert.equal(
    renderTable(columns, [], { output: fakeOutput({ isTty: true }).output, empty: 'no hosts' }),
    'no hosts\n',
  );
  assert.equal(renderTable(columns, [], { output: fakeOutput().output, empty: 'no hosts' }), '');
  const drawn = renderTable(columns, [{ host: 'a', count: 1, remark: '' }], {
    output: fakeOutput({ isTty: true }).output,
    empty: 'none',
  });
  assert.doesNotMatch(drawn, /REMARK/);
});

test('records are name and value, left out without a value', () => {
  const lines = [
    ['ledger', '/var/lib/x'],
    ['first', undefined],
    ['events', '3'],
  ] as const;
  assert.equal(renderRecord(lines, fakeOutput().output), 'ledger\t/var/lib/x\nevents\t3\n');
  assert.equal(renderRecord(lines, fakeOutput({ isTty: true }).output), 'ledger  /var/lib/x\nevents  3\n');
});

test('fitting, filling and wrapping count columns, not characters', () => {
  assert.equal(fit('日本語', 5), '日本…');
  assert.equal(fit('日本語', 4), '日…');
  assert.equal(widthOf(fill('日本語', 9)), 9);
  assert.deepEqual(wrap('aaa bbbbbbb cc', 4), ['aaa', 'bbbb', 'bbb', 'cc']);
  for (const line of wrap('日本語 日本語日本語 x', 5)) assert.ok(widthOf(line) <= 5, line);
});
