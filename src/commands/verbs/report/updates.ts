import type { ExitName } from '../../../domain/exit.ts';
import { reportDocument, updatesJson } from '../../../report/tables/ledger-json.ts';
import { renderUpdates } from '../../../report/tables/ledger.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { report } from '../../frame/report-answer.ts';

/** Each pending update with its hosts, and the hosts on which there may be others. */
export function run(invocation: Invocation, context: Context): Promise<ExitName> {
  return report(invocation, context, async ({ ledger, nowMs, only, doubts, status }) => {
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
