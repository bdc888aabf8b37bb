import { FettleError } from '../domain/error.ts';
import type { ExitName } from '../domain/exit.ts';
import { jsonObject } from '../report/json.ts';
import { runDetailValue } from '../report/ledger-json.ts';
import { renderRun } from '../report/run-tables.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { openToRead } from './record.ts';
import { showDocument } from './show.ts';

export async function run({ arguments: given, options }: Invocation, context: Context): Promise<ExitName> {
  await using ledger = await openToRead(options, context);
  const { run: id } = await ledger.findRun(given[0]);
  const detail = await ledger.showRun(id);
  if (detail === undefined) throw new FettleError('usage', `there is no run ${id}`);
  if (options.json === undefined) context.output.stdout.write(renderRun(detail, context.output));
  else showDocument(jsonObject('run-show', runDetailValue(detail), options.json), context);
  return 'ok';
}
