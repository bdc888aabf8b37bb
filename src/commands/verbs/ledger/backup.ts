import type { ExitName } from '../../../domain/exit.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { inDirectory } from '../../frame/planning.ts';
import { openFile } from '../../frame/open-ledger.ts';

/** A whole copy while others write; an existing file is never overwritten. */
export async function run({ arguments: given, options }: Invocation, context: Context): Promise<ExitName> {
  const target = inDirectory(given[0] ?? '', context);
  await using ledger = await openFile(options, context, 'read');
  await ledger.backup(target);
  context.console.message(`copied the ledger to ${target}, with its saved heads in ${target}.head`);
  return 'ok';
}
