import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import { renderRun } from '../../../report/tables/runs.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { openToRead } from '../../frame/open-ledger.ts';
import { showRunDocument } from '../../frame/run-document.ts';

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
