import type { ExitName } from '../domain/exit.ts';
import { jsonObject } from '../report/json.ts';
import { ledgerStatsValue } from '../report/ledger-json.ts';
import { renderLedgerStats } from '../report/upkeep-tables.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { openToRead } from './record.ts';
import { showDocument } from './show.ts';

export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  await using ledger = await openToRead(options, context);
  const stats = await ledger.stats();
  if (options.json === undefined) context.output.stdout.write(renderLedgerStats(stats, context.output));
  else showDocument(jsonObject('ledger-stats', ledgerStatsValue(stats), options.json), context);
  return 'ok';
}
