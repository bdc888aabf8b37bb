import { FettleError } from '../domain/error.ts';
import type { ExitName } from '../domain/exit.ts';
import { historyJson, renderHistory } from '../report/history-table.ts';
import { readAsOf, readSince } from './as-of.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { openToRead } from './record.ts';
import { show } from './show.ts';

const defaultLimit = 200;

/** What happened on one host or all, the latest first. */
export async function run({ arguments: given, options }: Invocation, context: Context): Promise<ExitName> {
  const span = { sinceMs: readSince(options, context) ?? 0, untilMs: readAsOf(options, context) };
  await using ledger = await openToRead(options, context);
  const [host] = given;
  const limit = options.last ?? defaultLimit;
  const found = await ledger.history({
    ...(host === undefined ? {} : { host }),
    ...(options.update === undefined ? {} : { update: options.update }),
    isBadOnly: options.failed ?? false,
    ...span,
    limit,
  });
  if (found === undefined) {
    throw new FettleError('usage', `the ledger knows no host ${host ?? ''}`, {
      hint: 'list its hosts with: fettle report hosts',
    });
  }
  const { rows } = found;
  show(
    { rows, shape: historyJson, json: options.json, text: () => renderHistory(rows, { output: context.output }) },
    context,
  );
  if (found.isCut) context.console.message(`the latest ${limit}; there is more: use -n, --since or --as-of`);
  return 'ok';
}
