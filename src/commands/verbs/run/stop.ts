import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { openRecord } from '../../frame/open-ledger.ts';
import { isQuery, wrongKind } from '../../frame/run-kinds.ts';

/** Asks the process that holds the run to start no further host. */
export async function run({ arguments: given, options }: Invocation, context: Context): Promise<ExitName> {
  await using ledger = await openRecord(options, context);
  const found = await ledger.findRun(given[0]);
  const { run: id, exitName } = found;
  if (exitName !== undefined) {
    throw new FettleError('usage', `run ${id} has ended already (${exitName})`, {
      hint: 'list runs with: fettle run list',
    });
  }
  if (isQuery(found)) {
    const { user, controller, pid } = found.operator;
    throw wrongKind(found, `takes no request to stop; end it with Ctrl-C: process ${pid} of ${user} on ${controller}`);
  }
  await ledger.requestStop(id);
  context.console.message(`asked run ${id} to start no further host; hosts in flight go on`);
  return 'ok';
}
