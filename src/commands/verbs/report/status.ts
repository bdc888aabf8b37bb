import type { ExitName } from '../../../domain/exit.ts';
import type { HostStatusRow } from '../../../domain/report.ts';
import { jsonList } from '../../../report/text/json.ts';
import { statusJson } from '../../../report/tables/ledger-json.ts';
import { renderStatus } from '../../../report/tables/ledger.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { readReport, report, type ReportRequest } from '../../frame/report-answer.ts';

export function read(invocation: Invocation, context: ReadContext): ReportRequest {
  return readReport(invocation, context, statusJson);
}

/** Every host with what is pending on it, and how sure that is. */
export function run(request: ReportRequest, context: Context): Promise<ExitName> {
  return report(request, context, async ({ status, nowMs }) => ({
    document: (choice) => jsonList(statusJson, status, choice),
    text: () => renderStatus(status, { output: context.output, nowMs }),
    hasWork: status.some(hasWork),
  }));
}

function hasWork(row: HostStatusRow): boolean {
  return row.scannedMs !== undefined && (row.security + row.other > 0 || row.rebootNeeded === 'yes');
}
