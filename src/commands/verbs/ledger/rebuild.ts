import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { Context } from '../../invocation/context.ts';
import { readLedger, type LedgerRequest } from '../../invocation/request.ts';
import { openFile } from '../../frame/open-ledger.ts';

export { readLedger as read };

/** Makes the tables again from the chain, which must be whole: what was altered there is no source. */
export async function run(request: LedgerRequest, context: Context): Promise<ExitName> {
  const before = await check(request, context);
  if (before.length > 0 && !before.every((problem) => /^(table|index|trigger|view) /.test(problem))) {
    throw new FettleError(
      'ledger',
      'the tables are not rebuilt: the chain or a stored file differs from what was written',
      {
        hint: 'list the differences with: fettle ledger verify; then restore a backup',
      },
    );
  }
  {
    await using ledger = await openFile(request, context, 'write');
    await ledger.rebuild();
  }
  const after = await check(request, context);
  for (const problem of after) context.console.warn(problem);
  context.console.message(`rebuilt the tables from the events; ${before.length - after.length} problems solved`);
  return after.length === 0 ? 'ok' : 'ledger';
}

async function check(request: LedgerRequest, context: Context): Promise<readonly string[]> {
  await using ledger = await openFile(request, context, 'read');
  return (await ledger.verify()).problems;
}
