import type { ExitName } from '../../../domain/exit.ts';
import { isInDoubt } from '../../../domain/host-state.ts';
import { jsonList } from '../../../report/text/json.ts';
import { pendingRebootsJson, rebootsJson, reportDocument } from '../../../report/tables/ledger-json.ts';
import { renderRebootReport } from '../../../report/tables/reboots.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { readReport, report, type ReportRequest } from '../../frame/report-answer.ts';

export function read(invocation: Invocation, context: ReadContext): ReportRequest {
  return readReport(invocation, context, rebootsJson);
}

/** Who waits for a reboot since when, of whom that is not known, and every reboot that was done. */
export function run(request: ReportRequest, context: Context): Promise<ExitName> {
  return report(request, context, async ({ ledger, nowMs, only, status }) => {
    const all = await ledger.reboots(nowMs);
    const [pending, done] = [only(all.pending), only(all.done)];
    const doubts = status.filter(
      (row) => isInDoubt(row) || (row.scannedMs !== undefined && row.rebootNeeded === 'unknown'),
    );
    return {
      document: (choice) => ({
        ...jsonList(pendingRebootsJson, pending),
        ...reportDocument(rebootsJson, done, { choice, doubts }),
      }),
      text: () => renderRebootReport({ pending, doubts, done }, { output: context.output, nowMs }),
      hasWork: pending.length > 0,
    };
  });
}
