import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import { runDetailFields } from '../../../report/tables/ledger-json.ts';
import { renderRun } from '../../../report/tables/runs.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { readLedger, readOutput, type LedgerRequest, type OutputRequest } from '../../invocation/request.ts';
import { openToRead } from '../../frame/open-ledger.ts';
import { showRunDocument } from '../../frame/run-document.ts';

interface RunShowRequest extends LedgerRequest, OutputRequest {
  /** Undefined: the latest that worked on hosts. */
  readonly run: string | undefined;
}

export function read(invocation: Invocation, context: ReadContext): RunShowRequest {
  return {
    ...readLedger(invocation, context),
    ...readOutput(invocation, runDetailFields),
    run: invocation.arguments[0],
  };
}

export async function run(request: RunShowRequest, context: Context): Promise<ExitName> {
  const { json } = request;
  await using ledger = await openToRead(request, context);
  const { run: id } = await ledger.findRun(request.run);
  if (json !== undefined) {
    await showRunDocument(id, { ledger, json }, context);
    return 'ok';
  }
  const detail = await ledger.showRun(id);
  if (detail === undefined) throw new FettleError('usage', `there is no run ${id}`);
  context.output.stdout.write(renderRun(detail, context.output));
  return 'ok';
}
