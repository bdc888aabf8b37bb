import type { ExitName } from '../../../domain/exit.ts';
import type { HostStatusRow } from '../../../domain/report.ts';
import { jsonList } from '../../../report/text/json.ts';
import { statusJson } from '../../../report/tables/ledger-json.ts';
import { renderStatus } from '../../../report/tables/ledger.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { report } from '../../frame/report-answer.ts';

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
