import type { ExitName } from '../domain/exit.ts';
import { runsJson } from '../report/ledger-json.ts';
import { renderRunList } from '../report/run-tables.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { openToRead } from './record.ts';
import { show } from './show.ts';

export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  await using ledger = await openToRead(options, context);
  const rows = await ledger.runs(options.last ?? 20);
  show({ rows, shape: runsJson, json: options.json, text: () => renderRunList(rows, context.output) }, context);
  return 'ok';
}
