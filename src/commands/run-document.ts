import { FettleError } from '../domain/error.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { jsonObject, type FieldChoice } from '../report/json.ts';
import { runDetailValue } from '../report/ledger-json.ts';
import type { Context } from './context.ts';
import { showDocument } from './show.ts';

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
