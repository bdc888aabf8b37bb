import type { ExitName } from '../../../domain/exit.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { inDirectory, readLedger, type LedgerRequest } from '../../invocation/request.ts';
import { openFile } from '../../frame/open-ledger.ts';

interface BackupRequest extends LedgerRequest {
  /** Absolute. */
  readonly file: string;
}

export function read(invocation: Invocation, context: ReadContext): BackupRequest {
  const [file = ''] = invocation.arguments;
  return { ...readLedger(invocation, context), file: inDirectory(file, context) };
}

/** A whole copy while others write; an existing file is never overwritten. */
export async function run(request: BackupRequest, context: Context): Promise<ExitName> {
  const { file: target } = request;
  await using ledger = await openFile(request, context, 'read');
  await ledger.backup(target);
  context.console.message(`copied the ledger to ${target}, with its saved heads in ${target}.head`);
  return 'ok';
}
