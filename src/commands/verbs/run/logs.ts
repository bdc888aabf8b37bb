import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import { renderLogs } from '../../../report/tables/exec.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { readLedger, type LedgerRequest } from '../../invocation/request.ts';
import { openToRead } from '../../frame/open-ledger.ts';
import { isQuery, wrongKind } from '../../frame/run-kinds.ts';

interface RunLogsRequest extends LedgerRequest {
  readonly host: string;
  /** Undefined: the latest that worked on hosts. */
  readonly run: string | undefined;
  readonly raw: boolean;
}

export function read(invocation: Invocation, context: ReadContext): RunLogsRequest {
  const [host = ''] = invocation.arguments;
  const { run: id, raw = false } = invocation.options;
  return { ...readLedger(invocation, context), host, run: id, raw };
}

/** What was printed on one host, step by step; control characters are shown, not obeyed, unless `--raw`. */
export async function run(request: RunLogsRequest, context: Context): Promise<ExitName> {
  const { host, raw } = request;
  await using ledger = await openToRead(request, context);
  const found = await ledger.findRun(request.run);
  const { run: id } = found;
  const rows = await ledger.runLogs(id, host);
  if (rows.length === 0 && isQuery(found) && found.kind !== 'exec') {
    throw wrongKind(found, `keeps no output of ${host}`);
  }
  if (rows.length === 0) {
    throw new FettleError('usage', `run ${id} has no output of ${host}`, {
      hint: `list its hosts with: fettle run show ${id}`,
    });
  }
  context.output.stdout.write(renderLogs(rows, { output: context.output, raw }));
  return 'ok';
}
