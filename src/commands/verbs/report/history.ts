import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import { historyJson, renderHistory } from '../../../report/tables/history.ts';
import { reportDocument } from '../../../report/tables/ledger-json.ts';
import { readSince } from '../../invocation/times.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { ofHost, readReport, report, type ReportRequest } from '../../frame/report-answer.ts';

const defaultLimit = 200;

interface HistoryRequest extends ReportRequest {
  readonly sinceMs: number;
  readonly failed: boolean;
  /** A glob. */
  readonly update: string | undefined;
  readonly last: number;
}

export function read(invocation: Invocation, context: ReadContext): HistoryRequest {
  const { failed = false, update, last = defaultLimit } = invocation.options;
  const sinceMs = readSince(invocation.options, context) ?? 0;
  return { ...readReport(invocation, context, historyJson), sinceMs, failed, update, last };
}

/** What happened on one host or all, the latest first. */
export function run(request: HistoryRequest, context: Context): Promise<ExitName> {
  const { host, sinceMs, failed: isBadOnly, update, last: limit } = request;
  return report(request, context, async ({ ledger, nowMs, names, status, doubts: all }) => {
    const about = host === undefined ? status : ofHost(status, host);
    const found = await ledger.history({
      ...(host === undefined ? {} : { host }),
      ...(names === undefined ? {} : { names: [...names] }),
      ...(update === undefined ? {} : { update }),
      isBadOnly,
      sinceMs,
      untilMs: nowMs,
      limit,
    });
    if (found === undefined && about.length === 0) {
      throw new FettleError('usage', `the ledger has no host ${host ?? ''}`, {
        hint: 'list its hosts with: fettle report hosts',
      });
    }
    const { rows, isCut } = found ?? { rows: [], isCut: false };
    const doubts = host === undefined ? all : ofHost(all, host);
    if (isCut) context.console.warn(`only the latest ${limit} are shown; show more with -n, --since or --as-of`);
    return {
      document: (choice) => ({ ...reportDocument(historyJson, rows, { choice, doubts }), isCut }),
      text: () => renderHistory(rows, doubts, { output: context.output, nowMs }),
      hasWork: false,
      about,
    };
  });
}
