import type { ExitName } from '../../../domain/exit.ts';
import { isInDoubt } from '../../../domain/host-state.ts';
import { jsonList } from '../../../report/text/json.ts';
import { pendingRebootsJson, rebootsJson, reportDocument } from '../../../report/tables/ledger-json.ts';
import { renderRebootReport } from '../../../report/tables/reboots.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { report } from '../../frame/report-answer.ts';

/** Who waits for a reboot since when, of whom that is not known, and every reboot that was done. */
export function run(invocation: Invocation, context: Context): Promise<ExitName> {
  return report(invocation, context, async ({ ledger, nowMs, only, status }) => {
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
