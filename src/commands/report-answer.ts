// What every report shares: the ledger as of a time, how sure each host's answer is, and the exit code that follows.
import { reportExit, isInDoubt } from '../domain/host-state.ts';
import type { ExitName } from '../domain/exit.ts';
import type { HostStatusRow } from '../domain/report.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { FieldChoice } from '../report/json.ts';
import type { Context } from './context.ts';
import { readAsOf } from './as-of.ts';
import type { Options } from './options.ts';
import { openToRead } from './record.ts';
import { readDuration } from './scan.ts';
import { showDocument } from './show.ts';

/** A scan that is older says nothing of today. */
const defaultMaxScanAgeMs = 7 * 24 * 3_600_000;

export interface ReportSource {
  readonly ledger: Ledger;
  /** The time asked about. */
  readonly nowMs: number;
  /** Every host that was ever selected. */
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

/** Reads, prints, and says how sure the answer is where `--detailed-exitcode` asks for that. */
export async function report(
  options: Partial<Options>,
  context: Context,
  read: (source: ReportSource) => Promise<Report>,
): Promise<ExitName> {
  const nowMs = readAsOf(options, context);
  const maxScanAgeMs = readDuration(options.maxScanAge, '--max-scan-age') ?? defaultMaxScanAgeMs;
  await using ledger = await openToRead(options, context);
  const status = await ledger.hostStatus({ asOfMs: nowMs, maxScanAgeMs });
  const found = await read({ ledger, nowMs, status, doubts: status.filter(isInDoubt) });
  const { document, text, hasWork, about = status } = found;
  if (options.json === undefined) context.output.stdout.write(text());
  else showDocument(document(options.json), context);
  return options.detailedExitcode === true ? reportExit(about, hasWork) : 'ok';
}
