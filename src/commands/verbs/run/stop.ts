import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { readLedger, type LedgerRequest } from '../../invocation/request.ts';
import { openRecord } from '../../frame/open-ledger.ts';
import { isQuery, wrongKind } from '../../frame/run-kinds.ts';

interface RunStopRequest extends LedgerRequest {
  /** Undefined: the latest that worked on hosts. */
  readonly run: string | undefined;
}

export function read(invocation: Invocation, context: ReadContext): RunStopRequest {
  return { ...readLedger(invocation, context), run: invocation.arguments[0] };
}

/** Asks the process that carries out the run to start no further host. */
export async function run(request: RunStopRequest, context: Context): Promise<ExitName> {
  await using ledger = await openRecord(request, context);
  const found = await ledger.findRun(request.run);
  const { run: id, exitName } = found;
  if (exitName !== undefined) {
    throw new FettleError('usage', `run ${id} has already ended (${exitName})`, {
      hint: 'list runs with: fettle run list',
    });
  }
  if (isQuery(found)) {
    const { user, controller, pid } = found.operator;
    throw wrongKind(
      found,
      `cannot be stopped by a request; end it with Ctrl-C: process ${pid} of ${user} on ${controller}`,
    );
  }
  await ledger.requestStop(id);
  context.console.message(`asked run ${id} to start no further hosts; hosts in flight are finished`);
  return 'ok';
}
