import type { ExitName } from '../../../domain/exit.ts';
import { reportDocument, updatesJson } from '../../../report/tables/ledger-json.ts';
import { renderUpdates } from '../../../report/tables/ledger.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { readReport, report, type ReportRequest } from '../../frame/report-answer.ts';

export function read(invocation: Invocation, context: ReadContext): ReportRequest {
  return readReport(invocation, context, updatesJson);
}

/** Each pending update with its hosts, and the hosts on which there may be others. */
export function run(request: ReportRequest, context: Context): Promise<ExitName> {
  return report(request, context, async ({ ledger, nowMs, only, doubts, status }) => {
    const pending = (await ledger.pendingUpdates(nowMs)).map((update) => ({ ...update, hosts: only(update.hosts) }));
    const rows = pending.filter(({ hosts }) => hosts.length > 0);
    return {
      document: (choice) => reportDocument(updatesJson, rows, { choice, doubts }),
      text: () => renderUpdates(rows, doubts, { output: context.output, nowMs }),
      // Those that are held back are shown, but nothing is to be done about them.
      hasWork: status.some((row) => row.scannedMs !== undefined && row.security + row.other > 0),
    };
  });
}
