import { readFile } from 'node:fs/promises';
import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { Head } from '../../../ledger/events/chain.ts';
import { parseHead } from '../../../ledger/events/heads.ts';
import { jsonObject } from '../../../report/text/json.ts';
import { ledgerCheckValue } from '../../../report/tables/ledger-json.ts';
import { renderLedgerCheck } from '../../../report/tables/ledger-upkeep.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { inDirectory } from '../../frame/planning.ts';
import { openFile } from '../../frame/open-ledger.ts';
import { signerOf } from '../../frame/signature.ts';
import { showDocument } from '../../invocation/show.ts';

/** Exit 13 when anything differs from what was written. */
export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  const heads = [...givenHead(options.head), ...(await signedHead(options, context))];
  await using ledger = await openFile(options, context, 'read');
  const check = await ledger.verify(heads);
  const isQuiet = options.quiet === true && check.problems.length === 0;
  if (options.json !== undefined)
    showDocument(jsonObject('ledger-verify', ledgerCheckValue(check), options.json), context);
  else if (!isQuiet) context.output.stdout.write(renderLedgerCheck(check, context.output));
  return check.problems.length === 0 ? 'ok' : 'ledger';
}

function givenHead(text: string | undefined): readonly Head[] {
  if (text === undefined) return [];
  const head = parseHead(text);
  if (head !== undefined) return [head];
  throw new FettleError('usage', `--head ${text} is no chain head`, {
    hint: 'it is SEQ:HASH, as fettle ledger stats prints it',
  });
}

async function signedHead(options: Invocation['options'], context: Context): Promise<readonly Head[]> {
  if (options.signedHead === undefined) return [];
  if (options.allowedSigners === undefined) {
    throw new FettleError('usage', '--signed-head needs --allowed-signers', {
      hint: 'name a file of signers as ssh-keygen(1) has it under ALLOWED SIGNERS',
    });
  }
  const file = inDirectory(options.signedHead, context);
  const signer = await signerOf(file, inDirectory(options.allowedSigners, context));
  const text = await readFile(file, 'utf8');
  const head = parseHead(text);
  if (head === undefined) throw new FettleError('usage', `${file} holds no chain head`);
  context.console.message(`the head ${head.seq} is signed by ${signer}`);
  return [head];
}
