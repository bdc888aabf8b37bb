// What every report shares: which hosts it is about, the ledger as of a time, how sure each answer is, and the exit code.
import { plural } from '../../base/text.ts';
import { selectHosts } from '../../config/inventory/selector.ts';
import type { ExitName } from '../../domain/exit.ts';
import { isInDoubt, reportExit } from '../../domain/host-state.ts';
import type { LedgerReader } from '../../domain/ledger-reader.ts';
import type { HostStatusRow } from '../../domain/report.ts';
import type { FieldChoice } from '../../report/text/json.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';
import { readAsOf, readDuration } from '../invocation/times.ts';
import { openInventory } from './selected-hosts.ts';
import type { Options } from '../invocation/options.ts';
import { openToRead } from './open-ledger.ts';
import { showDocument } from '../invocation/show.ts';

/** A scan that is older says nothing of today. */
const defaultMaxScanAgeMs = 7 * 24 * 3_600_000;

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

/**
 * Reads, prints, and says how sure the answer is where `--detailed-exitcode` asks for that. A host that is named by the
 * argument is reported on whether the inventory has it or not.
 */
export async function report(
  { arguments: given, options }: Invocation,
  context: Context,
  read: (source: ReportSource) => Promise<Report>,
): Promise<ExitName> {
  const nowMs = readAsOf(options, context);
  const maxScanAgeMs = readDuration(options.maxScanAge, '--max-scan-age') ?? defaultMaxScanAgeMs;
  const names = given.length === 0 ? await namesOf(options, context) : undefined;
  await using ledger = await openToRead(options, context);
  const recorded = await ledger.hostStatus({ asOfMs: nowMs, maxScanAgeMs });
  const only: ReportSource['only'] = (rows) =>
    names === undefined ? rows : rows.filter(({ host }) => names.has(host));
  const status = withUnselected(only(recorded), names);
  const others = names === undefined ? 0 : recorded.filter(({ host }) => !names.has(host)).length;
  const source = options.limit === undefined ? 'the inventory' : 'the inventory or left out by --limit';
  if (others > 0) context.console.message(`left out: ${plural(others, 'host')} of the ledger, not in ${source}`);
  const doubts = status.filter(isInDoubt);
  const found = await read({ ledger, nowMs, only, status, doubts, ...(names === undefined ? {} : { names }) });
  const { document, text, hasWork, about = status } = found;
  if (options.json === undefined) context.output.stdout.write(text());
  else showDocument(document(options.json), context);
  return options.detailedExitcode === true ? reportExit(about, hasWork) : 'ok';
}

/** Undefined where neither `-i` nor `--limit` is given: a ledger can be read without an inventory. */
async function namesOf(options: Partial<Options>, context: Context): Promise<ReadonlySet<string> | undefined> {
  const { inventory, limit, allowMissing = false } = options;
  if (inventory === undefined && limit === undefined) return undefined;
  const found = await openInventory(options, context);
  return new Set(selectHosts(found, { select: 'all', ...(limit === undefined ? {} : { limit }), allowMissing }));
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
