import { writeFile } from 'node:fs/promises';
import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { inDirectory } from '../../frame/planning.ts';
import { openFile } from '../../frame/open-ledger.ts';
import { sign } from '../../frame/signature.ts';

/** Writes the head of the chain to a file and signs it, for `ledger verify --signed-head`. */
export async function run({ arguments: given, options }: Invocation, context: Context): Promise<ExitName> {
  const target = inDirectory(given[0] ?? '', context);
  if (options.key === undefined) {
    throw new FettleError('usage', 'no key to sign with', { hint: 'name one with --key ~/.ssh/id_ed25519' });
  }
  await using ledger = await openFile(options, context, 'read');
  const { head } = await ledger.stats();
  try {
    await writeFile(target, `${head} ${new Date(context.clock.now()).toISOString()}\n`, { flag: 'wx' });
  } catch (cause) {
    throw new FettleError('usage', `${target} cannot be written`, { hint: 'name a new file', cause });
  }
  await sign(target, inDirectory(options.key, context));
  context.console.message(`signed head ${head}: ${target} and ${target}.sig`);
  return 'ok';
}
