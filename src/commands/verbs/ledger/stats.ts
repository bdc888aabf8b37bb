import type { ExitName } from '../../../domain/exit.ts';
import { jsonObject } from '../../../report/text/json.ts';
import { ledgerStatsValue } from '../../../report/tables/ledger-json.ts';
import { renderLedgerStats } from '../../../report/tables/ledger-upkeep.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { openFile } from '../../frame/open-ledger.ts';
import { showDocument } from '../../invocation/show.ts';

export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  await using ledger = await openFile(options, context, 'read');
  const stats = await ledger.stats();
  if (options.json === undefined) context.output.stdout.write(renderLedgerStats(stats, context.output));
  else showDocument(jsonObject('ledger-stats', ledgerStatsValue(stats), options.json), context);
  return 'ok';
}
