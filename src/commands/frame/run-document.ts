import { FettleError } from '../../domain/error.ts';
import type { LedgerReader } from '../../domain/ledger-reader.ts';
import { jsonObject, type FieldChoice } from '../../report/text/json.ts';
import { runDetailValue } from '../../report/tables/ledger-json.ts';
import type { Context } from '../invocation/context.ts';
import { showDocument } from '../invocation/show.ts';

/** The document of `run show --json`, which is also what a rollout prints when it is over. */
export async function showRunDocument(
  id: string,
  { ledger, json }: { readonly ledger: LedgerReader; readonly json: FieldChoice },
  context: Context,
): Promise<void> {
  const detail = await ledger.showRun(id);
  if (detail === undefined) throw new FettleError('usage', `there is no run ${id}`);
  showDocument(jsonObject('run-show/1', runDetailValue(detail), json), context);
}
