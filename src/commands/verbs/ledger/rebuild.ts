import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { openFile } from '../../frame/open-ledger.ts';

/** Makes the tables again from the chain, which must be whole: what was altered there is no source. */
export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  const before = await check(options, context);
  if (before.length > 0 && !before.every((problem) => /^(table|index|trigger|view) /.test(problem))) {
    throw new FettleError('ledger', 'the tables are not rebuilt: the chain or a blob differs from what was written', {
      hint: 'see what differs with: fettle ledger verify; then restore a backup',
    });
  }
  {
    await using ledger = await openFile(options, context, 'write');
    await ledger.rebuild();
  }
  const after = await check(options, context);
  for (const problem of after) context.console.warn(problem);
  context.console.message(`rebuilt the tables from the events; ${before.length - after.length} problems mended`);
  return after.length === 0 ? 'ok' : 'ledger';
}

async function check(options: Invocation['options'], context: Context): Promise<readonly string[]> {
  await using ledger = await openFile(options, context, 'read');
  return (await ledger.verify()).problems;
}
