import type { ExitName } from '../domain/exit.ts';
import type { HostStatusRow } from '../domain/report.ts';
import { jsonList } from '../report/json.ts';
import { statusJson } from '../report/ledger-json.ts';
import { renderStatus } from '../report/ledger-tables.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { report } from './report-answer.ts';

/** Every host with what is pending on it, and how sure that is. */
export function run(invocation: Invocation, context: Context): Promise<ExitName> {
  return report(invocation, context, async ({ status, nowMs }) => ({
    document: (choice) => jsonList(statusJson, status, choice),
    text: () => renderStatus(status, { output: context.output, nowMs }),
    hasWork: status.some(hasWork),
  }));
}

function hasWork(row: HostStatusRow): boolean {
  return row.scannedMs !== undefined && (row.security + row.other > 0 || row.rebootNeeded === 'yes');
}
