// A read-only run with one row for each host: what `scan`, `exec`, `wake` and `shutdown --cancel` share.
import type { RunKind } from '../../domain/event.ts';
import type { ExitName } from '../../domain/exit.ts';
import type { Host } from '../../domain/host.ts';
import type { Output } from '../../report/text/output.ts';
import type { JsonShape } from '../../report/text/json.ts';
import type { Context } from '../invocation/context.ts';
import type { OutputRequest } from '../invocation/request.ts';
import { showResults } from '../invocation/show.ts';
import { runReadOnly, type QueryRequest, type ReadOnlyEnd, type ReadOnlyRun } from './read-only-run.ts';

interface HostRow {
  readonly host: string | { readonly name: string };
}

/** How the rows of a verb are shown. */
interface RowStyle<Row> {
  readonly shape: JsonShape<Row>;
  /** Done, and nothing about it is uncertain. */
  readonly isWell: (row: Row) => boolean;
  readonly render: (rows: readonly Row[], output: Output) => string | Uint8Array;
}

interface HostQuery<Row> extends RowStyle<Row> {
  readonly kind: RunKind;
  readonly hosts: readonly Host[];
  readonly request: QueryRequest;
  readonly beginsWithLogin?: boolean;
  /** Queries every host; the rows may come in any order. */
  readonly query: (readOnly: ReadOnlyRun) => Promise<ReadOnlyEnd & { readonly rows: readonly Row[] }>;
}

/** The query as a recorded run, its rows on stdout in the order of the inventory. */
export function queryHosts<Row extends HostRow>(order: HostQuery<Row>, context: Context): Promise<ExitName> {
  const { kind, hosts, request, query, beginsWithLogin = false } = order;
  const action = async (readOnly: ReadOnlyRun): Promise<ReadOnlyEnd & { readonly print: () => void }> => {
    const { rows, exitName, counts } = await query(readOnly);
    return { exitName, counts, print: () => showHosts({ ...order, rows, exitName }, context) };
  };
  return runReadOnly({ kind, hosts, request, beginsWithLogin, action }, context);
}

interface HostResults<Row> extends RowStyle<Row> {
  readonly hosts: readonly Host[];
  readonly rows: readonly Row[];
  readonly request: OutputRequest;
  readonly exitName: ExitName;
}

/** With `--jsonl` the events on stdout contain everything. */
export function showHosts<Row extends HostRow>(results: HostResults<Row>, context: Context): void {
  const { hosts, request, exitName, shape, isWell, render } = results;
  if (request.jsonl) return;
  const order = new Map(hosts.map((host, index) => [host.name, index]));
  const placeOf = ({ host }: Row): number => order.get(typeof host === 'string' ? host : host.name) ?? 0;
  const rows = results.rows.toSorted((one, other) => placeOf(one) - placeOf(other));
  const text = (shown: readonly Row[]): string | Uint8Array => render(shown, context.output);
  showResults({ rows, shape, request, exitName, isWell, text }, context);
}
