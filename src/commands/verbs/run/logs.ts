import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import { renderLogs } from '../../../report/tables/exec.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { openToRead } from '../../frame/open-ledger.ts';
import { isQuery, wrongKind } from '../../frame/run-kinds.ts';

/** What was printed on one host, step by step; control characters are shown, not obeyed, unless `--raw`. */
export async function run({ arguments: given, options }: Invocation, context: Context): Promise<ExitName> {
  const host = given[0] ?? '';
  await using ledger = await openToRead(options, context);
  const found = await ledger.findRun(options.run);
  const { run: id } = found;
  const rows = await ledger.runLogs(id, host);
  if (rows.length === 0 && isQuery(found) && found.kind !== 'exec') {
    throw wrongKind(found, `keeps no output of ${host}`);
  }
  if (rows.length === 0) {
    throw new FettleError('usage', `run ${id} has nothing of ${host}`, {
      hint: `see its hosts with: fettle run show ${id}`,
    });
  }
  context.output.stdout.write(renderLogs(rows, { output: context.output, raw: options.raw ?? false }));
  return 'ok';
}
