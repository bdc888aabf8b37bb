// The inventory as tables; rows are filled by the commands.
import { cleanLine } from '../../base/text.ts';
import { sealDeep, sealText } from '../../domain/secret-text.ts';
import type { JsonShape } from '../text/json.ts';
import { safeJson } from '../text/json.ts';
import type { Output } from '../text/output.ts';
import { renderTable, type Column } from '../text/table.ts';

export interface InventoryHostRow {
  readonly host: string;
  readonly hostId: string;
  readonly groups: readonly string[];
  readonly address: string;
  readonly port?: number;
  readonly user?: string;
  readonly transport: string;
}

export const inventoryListJson: JsonShape<InventoryHostRow> = {
  name: 'inventory-list',
  list: 'hosts',
  version: 1,
  fields: {
    host: (row) => row.host,
    hostId: (row) => row.hostId,
    groups: (row) => row.groups,
    address: (row) => row.address,
    port: (row) => row.port,
    user: (row) => row.user,
    transport: (row) => row.transport,
  },
};

export function renderInventoryList(rows: readonly InventoryHostRow[], output: Output): string {
  const columns: readonly Column<InventoryHostRow>[] = [
    { title: 'HOST', text: (row) => row.host },
    { title: 'GROUPS', text: (row) => row.groups.filter((group) => group !== 'all').join(','), narrow: 'cut' },
    {
      title: 'ADDRESS',
      text: (row) => (row.port === undefined ? row.address : `${row.address}:${row.port}`),
      narrow: 'cut',
    },
    { title: 'USER', text: (row) => row.user ?? '' },
    { title: 'TRANSPORT', text: (row) => row.transport },
  ];
  return renderTable(columns, rows, { output, empty: 'no hosts' });
}

/** One group with what is in it. */
export interface GroupTree {
  readonly name: string;
  readonly groups: readonly GroupTree[];
  readonly hosts: readonly string[];
}

/** `@all:` and below it, as `ansible-inventory --graph` draws it. */
export function renderInventoryGraph(root: GroupTree): string {
  const lines: string[] = [];
  const draw = (tree: GroupTree, depth: number): void => {
    const before = depth === 0 ? '' : `${'  |'.repeat(depth)}--`;
    lines.push(`${before}@${cleanLine(tree.name)}:`);
    for (const group of tree.groups) draw(group, depth + 1);
    for (const host of tree.hosts) lines.push(`${'  |'.repeat(depth + 1)}--${cleanLine(host)}`);
  };
  draw(root, 0);
  return `${lines.join('\n')}\n`;
}

/** One variable of a host; secrets arrive as values that serialise to their placeholder. */
export interface VariableRow {
  readonly name: string;
  readonly value: unknown;
  /** Where it comes from: layer, file, line. */
  readonly origin?: { readonly layer: string; readonly file: string; readonly line: number };
}

export const variablesJson: JsonShape<VariableRow> = {
  name: 'inventory-show',
  list: 'variables',
  version: 1,
  fields: { name: (row) => row.name, value: (row) => sealDeep(row.value), origin: (row) => row.origin },
};

export function renderVariables(
  rows: readonly VariableRow[],
  { output, withOrigin }: { readonly output: Output; readonly withOrigin: boolean },
): string {
  const columns: Column<VariableRow>[] = [
    { title: 'VARIABLE', text: (row) => row.name },
    { title: 'VALUE', text: (row) => valueText(row.value), narrow: 'wrap' },
  ];
  if (withOrigin)
    columns.push({ title: 'ORIGIN', text: originText, narrow: 'cut', paint: (text, _row, paint) => paint.dim(text) });
  return renderTable(columns, rows, { output, empty: 'no variables' });
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? sealText(value) : safeJson(sealDeep(value));
}

function originText({ origin }: VariableRow): string {
  return origin === undefined ? '' : `${origin.file}:${origin.line} (${origin.layer})`;
}
