import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import { historyJson, renderHistory } from '../../../report/tables/history.ts';
import { reportDocument } from '../../../report/tables/ledger-json.ts';
import { readSince } from '../../invocation/times.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { ofHost, report } from '../../frame/report-answer.ts';

const defaultLimit = 200;

/** What happened on one host or all, the latest first. */
export function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { arguments: given, options } = invocation;
  const sinceMs = readSince(options, context) ?? 0;
  const [host] = given;
  const limit = options.last ?? defaultLimit;
  return report(invocation, context, async ({ ledger, nowMs, names, status, doubts: all }) => {
    const about = host === undefined ? status : ofHost(status, host);
    const found = await ledger.history({
      ...(host === undefined ? {} : { host }),
      ...(names === undefined ? {} : { names: [...names] }),
      ...(options.update === undefined ? {} : { update: options.update }),
      isBadOnly: options.failed ?? false,
      sinceMs,
      untilMs: nowMs,
      limit,
    });
    if (found === undefined && about.length === 0) {
      throw new FettleError('usage', `the ledger knows no host ${host ?? ''}`, {
        hint: 'list its hosts with: fettle report hosts',
      });
    }
    const { rows, isCut } = found ?? { rows: [], isCut: false };
    const doubts = host === undefined ? all : ofHost(all, host);
    if (isCut) context.console.warn(`only the latest ${limit} are shown; there is more: use -n, --since or --as-of`);
    return {
      document: (choice) => ({ ...reportDocument(historyJson, rows, { choice, doubts }), isCut }),
      text: () => renderHistory(rows, doubts, { output: context.output, nowMs }),
      hasWork: false,
      about,
    };
  });
}
