import type { ExitName } from '../../../domain/exit.ts';
import { jsonList } from '../../../report/text/json.ts';
import { runsJson } from '../../../report/tables/ledger-json.ts';
import { renderRunList } from '../../../report/tables/runs.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { openToRead } from '../../frame/open-ledger.ts';
import { showDocument } from '../../invocation/show.ts';

const defaultLimit = 20;

/** The latest runs; where there are more, that is said. */
export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  await using ledger = await openToRead(options, context);
  const limit = options.last ?? defaultLimit;
  const found = await ledger.runs(limit + 1);
  const rows = found.slice(0, limit);
  const isCut = found.length > limit;
  if (options.json === undefined) context.output.stdout.write(renderRunList(rows, context.output));
  else showDocument({ ...jsonList(runsJson, rows, options.json), isCut }, context);
  if (isCut) context.console.warn(`only the latest ${limit} are shown; there is more: use -n`);
  return 'ok';
}
