import type { ExitName } from '../../../domain/exit.ts';
import { jsonList } from '../../../report/text/json.ts';
import { runsJson } from '../../../report/tables/ledger-json.ts';
import { renderRunList } from '../../../report/tables/runs.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { readLedger, readOutput, type LedgerRequest, type OutputRequest } from '../../invocation/request.ts';
import { openToRead } from '../../frame/open-ledger.ts';
import { showDocument } from '../../invocation/show.ts';

const defaultLimit = 20;

interface RunListRequest extends LedgerRequest, OutputRequest {
  readonly last: number;
}

export function read(invocation: Invocation, context: ReadContext): RunListRequest {
  const { last = defaultLimit } = invocation.options;
  return { ...readLedger(invocation, context), ...readOutput(invocation, runsJson), last };
}

/** The latest runs, with a warning where there are more. */
export async function run(request: RunListRequest, context: Context): Promise<ExitName> {
  const { last: limit, json } = request;
  await using ledger = await openToRead(request, context);
  const found = await ledger.runs(limit + 1);
  const rows = found.slice(0, limit);
  const isCut = found.length > limit;
  if (json === undefined) context.output.stdout.write(renderRunList(rows, context.output));
  else showDocument({ ...jsonList(runsJson, rows, json), isCut }, context);
  if (isCut) context.console.warn(`only the latest ${limit} are shown; show more with -n`);
  return 'ok';
}
