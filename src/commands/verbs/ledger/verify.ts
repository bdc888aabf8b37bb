import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { Head } from '../../../ledger/events/chain.ts';
import { parseHead } from '../../../ledger/events/heads.ts';
import { jsonObject } from '../../../report/text/json.ts';
import { ledgerCheckFields, ledgerCheckValue } from '../../../report/tables/ledger-json.ts';
import { renderLedgerCheck } from '../../../report/tables/ledger-upkeep.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import {
  inDirectory,
  readLedger,
  readOutput,
  type LedgerRequest,
  type OutputRequest,
} from '../../invocation/request.ts';
import { openFile } from '../../frame/open-ledger.ts';
import { readSignedHead, signerOf } from '../../frame/signature.ts';
import { showDocument } from '../../invocation/show.ts';

interface LedgerVerifyRequest extends LedgerRequest, OutputRequest {
  readonly head: Head | undefined;
  readonly signedHead: SignedHead | undefined;
}

/** Absolute paths. */
interface SignedHead {
  readonly file: string;
  readonly allowedSigners: string;
}

export function read(invocation: Invocation, context: ReadContext): LedgerVerifyRequest {
  const { head, signedHead, allowedSigners } = invocation.options;
  return {
    ...readLedger(invocation, context),
    ...readOutput(invocation, ledgerCheckFields),
    head: head === undefined ? undefined : readHead(head),
    signedHead: readSigned(signedHead, allowedSigners, context),
  };
}

function readHead(text: string): Head {
  const head = parseHead(text);
  if (head !== undefined) return head;
  throw new FettleError('usage', `--head ${text} is not a chain head`, {
    hint: 'write it as SEQ:HASH, as printed by: fettle ledger stats',
  });
}

function readSigned(
  file: string | undefined,
  allowedSigners: string | undefined,
  context: ReadContext,
): SignedHead | undefined {
  if (file === undefined && allowedSigners === undefined) return undefined;
  if (file === undefined) {
    throw new FettleError('usage', '--allowed-signers needs --signed-head', {
      hint: 'give the file that was written by: fettle ledger sign',
    });
  }
  if (allowedSigners === undefined) {
    throw new FettleError('usage', '--signed-head needs --allowed-signers', {
      hint: 'give a file of signers in the format of ALLOWED SIGNERS in ssh-keygen(1)',
    });
  }
  return { file: inDirectory(file, context), allowedSigners: inDirectory(allowedSigners, context) };
}

/** Exit 13 when anything differs from what was written. */
export async function run(request: LedgerVerifyRequest, context: Context): Promise<ExitName> {
  const { head, signedHead, json, quiet } = request;
  const heads = head === undefined ? [] : [head];
  if (signedHead !== undefined) heads.push(await checkedHead(signedHead, context));
  await using ledger = await openFile(request, context, 'read');
  const check = await ledger.verify(heads);
  const isIntact = check.problems.length === 0;
  if (json !== undefined) showDocument(jsonObject('ledger-verify/1', ledgerCheckValue(check), json), context);
  else if (!quiet || !isIntact) context.output.stdout.write(renderLedgerCheck(check, context.output));
  return isIntact ? 'ok' : 'ledger';
}

async function checkedHead({ file, allowedSigners }: SignedHead, context: Context): Promise<Head> {
  const signer = await signerOf(file, allowedSigners);
  const head = parseHead((await readSignedHead(file)).toString());
  if (head === undefined) {
    throw new FettleError('usage', `${file} holds no chain head`, { hint: 'make it with: fettle ledger sign' });
  }
  context.console.message(`head ${head.seq} is signed by ${signer}`);
  return head;
}
