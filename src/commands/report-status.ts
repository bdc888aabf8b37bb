import type { ExitName } from '../domain/exit.ts';
import type { HostStatusRow } from '../domain/report.ts';
import { statusJson } from '../report/ledger-json.ts';
import { renderStatus } from '../report/ledger-tables.ts';
import { readAsOf } from './as-of.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { openToRead } from './record.ts';
import { readDuration } from './scan.ts';
import { show } from './show.ts';

/** A scan that is older tells nothing of today. */
const defaultMaxScanAgeMs = 7 * 24 * 3_600_000;

export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  const nowMs = readAsOf(options, context);
  const maxScanAgeMs = readDuration(options.maxScanAge, '--max-scan-age') ?? defaultMaxScanAgeMs;
  await using ledger = await openToRead(options, context);
  const rows = await ledger.hostStatus({ asOfMs: nowMs, maxScanAgeMs });
  const { output } = context;
  show({ rows, shape: statusJson, json: options.json, text: () => renderStatus(rows, { output, nowMs }) }, context);
  return options.detailedExitcode === true ? standing(rows) : 'ok';
}

/** What is to be done comes first; what is not known is never clean. */
function standing(rows: readonly HostStatusRow[]): ExitName {
  if (rows.some((row) => row.scannedMs !== undefined && (row.security + row.other > 0 || row.rebootNeeded === 'yes'))) {
    return 'changes';
  }
  const isUnsure = (row: HostStatusRow): boolean => row.scannedMs === undefined || row.isOld || row.isStale;
  if (rows.some((row) => row.unreachableSinceMs !== undefined)) return 'unreachable';
  return rows.some(isUnsure) ? 'unverified' : 'ok';
}
