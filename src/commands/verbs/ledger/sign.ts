import { writeFile } from 'node:fs/promises';
import { fileProblem } from '../../../base/file-problem.ts';
import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { inDirectory, readLedger, type LedgerRequest } from '../../invocation/request.ts';
import { openFile } from '../../frame/open-ledger.ts';
import { sign } from '../../frame/signature.ts';

interface SignRequest extends LedgerRequest {
  /** Absolute, as is the key. */
  readonly file: string;
  readonly key: string;
}

export function read(invocation: Invocation, context: ReadContext): SignRequest {
  const [file = ''] = invocation.arguments;
  const { key } = invocation.options;
  if (key === undefined) {
    throw new FettleError('usage', 'there is no key to sign with', {
      hint: 'give one, such as --key ~/.ssh/id_ed25519',
    });
  }
  return { ...readLedger(invocation, context), file: inDirectory(file, context), key: inDirectory(key, context) };
}

/** Writes the head of the chain to a file and signs it, for `ledger verify --signed-head`. */
export async function run(request: SignRequest, context: Context): Promise<ExitName> {
  const { file: target, key } = request;
  await using ledger = await openFile(request, context, 'read');
  const { head } = await ledger.stats();
  try {
    await writeFile(target, `${head} ${new Date(context.clock.now()).toISOString()}\n`, { flag: 'wx' });
  } catch (cause) {
    throw new FettleError('usage', `${target} cannot be written: ${fileProblem(cause)}`, {
      hint: 'name a new file',
      cause,
    });
  }
  await sign(target, key);
  context.console.message(`signed head ${head}: ${target} and ${target}.sig`);
  return 'ok';
}
