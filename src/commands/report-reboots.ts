import type { ExitName } from '../domain/exit.ts';
import { jsonList } from '../report/json.ts';
import { pendingRebootsJson, rebootsJson } from '../report/ledger-json.ts';
import { renderPendingReboots, renderReboots } from '../report/ledger-tables.ts';
import { readAsOf } from './as-of.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { openToRead } from './record.ts';
import { showDocument } from './show.ts';

/** Who waits for a reboot since when, then the reboots that were done. */
export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  const nowMs = readAsOf(options, context);
  await using ledger = await openToRead(options, context);
  const { pending, done } = await ledger.reboots(nowMs);
  const { output } = context;
  if (options.json !== undefined) {
    showDocument({ ...jsonList(pendingRebootsJson, pending), ...jsonList(rebootsJson, done, options.json) }, context);
    return 'ok';
  }
  output.stdout.write(renderPendingReboots(pending, { output, nowMs }));
  if (output.stdout.isTty) output.stdout.write('\n');
  output.stdout.write(renderReboots(done, output));
  return 'ok';
}
