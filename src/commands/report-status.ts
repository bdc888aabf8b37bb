import type { ExitName } from '../domain/exit.ts';
import { statusJson } from '../report/ledger-json.ts';
import { renderStatus } from '../report/ledger-tables.ts';
import { readAsOf } from './as-of.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { openToRead } from './record.ts';
import { show } from './show.ts';

export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  await using ledger = await openToRead(options, context);
  const nowMs = readAsOf(options, context);
  const rows = await ledger.hostStatus(nowMs);
  const { output } = context;
  show({ rows, shape: statusJson, json: options.json, text: () => renderStatus(rows, { output, nowMs }) }, context);
  const isPending = rows.some((row) => row.security + row.other > 0 || row.rebootNeeded === 'yes');
  return options.detailedExitcode === true && isPending ? 'changes' : 'ok';
}
