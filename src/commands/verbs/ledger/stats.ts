import type { ExitName } from '../../../domain/exit.ts';
import { jsonObject } from '../../../report/text/json.ts';
import { ledgerStatsFields, ledgerStatsValue } from '../../../report/tables/ledger-json.ts';
import { renderLedgerStats } from '../../../report/tables/ledger-upkeep.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { readLedger, readOutput, type LedgerRequest, type OutputRequest } from '../../invocation/request.ts';
import { openFile } from '../../frame/open-ledger.ts';
import { showDocument } from '../../invocation/show.ts';

export function read(invocation: Invocation, context: ReadContext): LedgerRequest & OutputRequest {
  return { ...readLedger(invocation, context), ...readOutput(invocation, ledgerStatsFields) };
}

export async function run(request: LedgerRequest & OutputRequest, context: Context): Promise<ExitName> {
  const { json } = request;
  await using ledger = await openFile(request, context, 'read');
  const stats = await ledger.stats();
  if (json === undefined) context.output.stdout.write(renderLedgerStats(stats, context.output));
  else showDocument(jsonObject('ledger-stats/2', ledgerStatsValue(stats), json), context);
  return 'ok';
}
