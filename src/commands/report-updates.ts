import type { ExitName } from '../domain/exit.ts';
import { updatesJson } from '../report/ledger-json.ts';
import { renderUpdates } from '../report/ledger-tables.ts';
import { readAsOf } from './as-of.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { openToRead } from './record.ts';
import { show } from './show.ts';

export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  const nowMs = readAsOf(options, context);
  await using ledger = await openToRead(options, context);
  const rows = await ledger.pendingUpdates(nowMs);
  const { output } = context;
  show({ rows, shape: updatesJson, json: options.json, text: () => renderUpdates(rows, { output, nowMs }) }, context);
  return 'ok';
}
