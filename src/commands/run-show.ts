import { FettleError } from '../domain/error.ts';
import type { ExitName } from '../domain/exit.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { jsonObject, type FieldChoice } from '../report/json.ts';
import { runDetailValue } from '../report/ledger-json.ts';
import { renderRun } from '../report/run-tables.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { openToRead } from './record.ts';
import { showDocument } from './show.ts';

export async function run({ arguments: given, options }: Invocation, context: Context): Promise<ExitName> {
  await using ledger = await openToRead(options, context);
  const { run: id } = await ledger.findRun(given[0]);
  if (options.json !== undefined) {
    await showRunDocument(id, { ledger, json: options.json }, context);
    return 'ok';
  }
  const detail = await ledger.showRun(id);
  if (detail === undefined) throw new FettleError('usage', `there is no run ${id}`);
  context.output.stdout.write(renderRun(detail, context.output));
  return 'ok';
}

/** The document of `run show --json`, which is also what a rollout prints when it is over. */
export async function showRunDocument(
  id: string,
  { ledger, json }: { readonly ledger: Ledger; readonly json: FieldChoice },
  context: Context,
): Promise<void> {
  const detail = await ledger.showRun(id);
  if (detail === undefined) throw new FettleError('usage', `there is no run ${id}`);
  showDocument(jsonObject('run-show', runDetailValue(detail), json), context);
}
