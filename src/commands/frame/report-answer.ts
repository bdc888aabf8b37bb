// What every report shares: which hosts it is about, the ledger as of a time, how sure each answer is, and the exit code.
import { plural } from '../../base/text.ts';
import type { ExitName } from '../../domain/exit.ts';
import { isInDoubt, reportExit } from '../../domain/host-state.ts';
import type { LedgerReader } from '../../domain/ledger-reader.ts';
import type { HostStatusRow } from '../../domain/report.ts';
import type { FieldChoice } from '../../report/text/json.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import {
  readLedger,
  readOutput,
  readSelection,
  type JsonFields,
  type LedgerRequest,
  type OutputRequest,
  type SelectionRequest,
} from '../invocation/request.ts';
import { readAsOf, readDuration } from '../invocation/times.ts';
import { openInventory, selectedNames } from './selected-hosts.ts';
import { openToRead } from './open-ledger.ts';
import { showDocument } from '../invocation/show.ts';

/** An older scan does not show today's state. */
const defaultMaxScanAgeMs = 7 * 24 * 3_600_000;

export interface ReportRequest extends SelectionRequest, LedgerRequest, OutputRequest {
  /** The argument: reported on whether the inventory has it or not. */
  readonly host: string | undefined;
  /** `-i` or `--limit` is given. Without either, every host of the ledger is reported on. */
  readonly isNarrowed: boolean;
  readonly asOfMs: number;
  readonly maxScanAgeMs: number;
  readonly detailedExitcode: boolean;
}

export function readReport(invocation: Invocation, context: ReadContext, fields: JsonFields): ReportRequest {
  const { arguments: given, options } = invocation;
  return {
    ...readSelection(invocation, context),
    ...readLedger(invocation, context),
    ...readOutput(invocation, fields),
    host: given[0],
    isNarrowed: options.inventory !== undefined || options.limit !== undefined,
    asOfMs: readAsOf(options, context),
    maxScanAgeMs: readDuration(options.maxScanAge, '--max-scan-age') ?? defaultMaxScanAgeMs,
    detailedExitcode: options.detailedExitcode ?? false,
  };
}

export interface ReportSource {
  readonly ledger: LedgerReader;
  /** The time asked about. */
  readonly nowMs: number;
  /** The names of `-i`; absent: every host of the ledger. */
  readonly names?: ReadonlySet<string>;
  /** The rows that are about hosts of `-i`, or all. */
  readonly only: <Row extends { readonly host: string }>(rows: readonly Row[]) => readonly Row[];
  /** Every host that was ever selected, or every host of `-i`. */
  readonly status: readonly HostStatusRow[];
  /** Those of them of which the answer may not be so. */
  readonly doubts: readonly HostStatusRow[];
}

export interface Report {
  /** The document of `--json`. */
  readonly document: (choice: FieldChoice) => Record<string, unknown>;
  readonly text: () => string;
  /** Something is to be done on a host. */
  readonly hasWork: boolean;
  /** Where the report is about some hosts alone; absent: about all. */
  readonly about?: readonly HostStatusRow[];
}

/** Answers, prints, and exits by how certain the answer is where `--detailed-exitcode` asks for that. */
export async function report(
  request: ReportRequest,
  context: Context,
  answer: (source: ReportSource) => Promise<Report>,
): Promise<ExitName> {
  const { asOfMs: nowMs, maxScanAgeMs, json } = request;
  const names = request.isNarrowed && request.host === undefined ? await namesOf(request, context) : undefined;
  await using ledger = await openToRead(request, context);
  const recorded = await ledger.hostStatus({ asOfMs: nowMs, maxScanAgeMs });
  const only: ReportSource['only'] = (rows) =>
    names === undefined ? rows : rows.filter(({ host }) => names.has(host));
  const status = withUnselected(only(recorded), names);
  const others = names === undefined ? 0 : recorded.filter(({ host }) => !names.has(host)).length;
  const source = request.limit === undefined ? 'the inventory' : 'the inventory or left out by --limit';
  if (others > 0) context.console.message(`left out: ${plural(others, 'host')} of the ledger, not in ${source}`);
  const doubts = status.filter(isInDoubt);
  const found = await answer({ ledger, nowMs, only, status, doubts, ...(names === undefined ? {} : { names }) });
  const { document, text, hasWork, about = status } = found;
  if (json === undefined) context.output.stdout.write(text());
  else showDocument(document(json), context);
  return request.detailedExitcode ? reportExit(about, hasWork) : 'ok';
}

async function namesOf(request: ReportRequest, context: Context): Promise<ReadonlySet<string>> {
  return new Set(selectedNames(await openInventory(request, context), request));
}

/** With a row for each host of the inventory that no run ever selected. */
function withUnselected(
  rows: readonly HostStatusRow[],
  names: ReadonlySet<string> = new Set(),
): readonly HostStatusRow[] {
  const known = new Set(rows.map(({ host }) => host));
  const others = [...names].filter((host) => !known.has(host)).map((host): HostStatusRow => ({ host }));
  return [...rows, ...others].toSorted((one, other) => (one.host < other.host ? -1 : 1));
}

/** By name or id; none where the ledger does not know it. */
export function ofHost(rows: readonly HostStatusRow[], host: string): readonly HostStatusRow[] {
  return rows.filter((row) => row.host === host || row.hostId === host);
}
