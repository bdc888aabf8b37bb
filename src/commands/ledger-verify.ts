import { FettleError } from '../domain/error.ts';
import type { ExitName } from '../domain/exit.ts';
import { parseHead } from '../ledger/ledger.ts';
import { jsonObject } from '../report/json.ts';
import { ledgerCheckValue } from '../report/ledger-json.ts';
import { renderLedgerCheck } from '../report/upkeep-tables.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { openToRead } from './record.ts';
import { showDocument } from './show.ts';

/** Exit 13 when anything differs from what was written. */
export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  const head = options.head === undefined ? undefined : parseHead(options.head);
  if (options.head !== undefined && head === undefined) {
    throw new FettleError('usage', `--head ${options.head} is no chain head`, {
      hint: 'it is SEQ:HASH, as fettle ledger stats prints it',
    });
  }
  await using ledger = await openToRead(options, context);
  const check = await ledger.verify(head === undefined ? [] : [head]);
  if (options.json === undefined) context.output.stdout.write(renderLedgerCheck(check, context.output));
  else showDocument(jsonObject('ledger-verify', ledgerCheckValue(check), options.json), context);
  return check.problems.length === 0 ? 'ok' : 'ledger';
}
