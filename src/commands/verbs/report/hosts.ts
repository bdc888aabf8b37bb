import { isoTime } from '../../../base/format.ts';
import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { HostStatusRow } from '../../../domain/report.ts';
import { doubtWords } from '../../../report/tables/doubts.ts';
import { hostsJson, packagesJson, reportDocument } from '../../../report/tables/ledger-json.ts';
import { renderHosts, renderPackages } from '../../../report/tables/ledger.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import {
  ofHost,
  readReport,
  report,
  type Report,
  type ReportRequest,
  type ReportSource,
} from '../../frame/report-answer.ts';

export function read(invocation: Invocation, context: ReadContext): ReportRequest {
  return readReport(invocation, context, invocation.arguments.length === 0 ? hostsJson : packagesJson);
}

/** Every host with its facts; with a host, what was installed on it. */
export function run(request: ReportRequest, context: Context): Promise<ExitName> {
  const { host } = request;
  return report(request, context, (source) =>
    host === undefined ? hostsReport(source, context) : packagesReport(host, source, context),
  );
}

async function hostsReport({ ledger, nowMs, status, doubts }: ReportSource, context: Context): Promise<Report> {
  const facts = new Map((await ledger.hosts(nowMs)).map((row) => [row.hostId, row]));
  const rows = status.map((row) => {
    const its = row.hostId === undefined ? undefined : facts.get(row.hostId);
    return its === undefined ? { status: row } : { status: row, facts: its };
  });
  return {
    document: (choice) => reportDocument(hostsJson, rows, { choice, doubts }),
    text: () => renderHosts(rows, { output: context.output, nowMs }),
    hasWork: false,
  };
}

async function packagesReport(host: string, source: ReportSource, context: Context): Promise<Report> {
  const { ledger, nowMs } = source;
  const found = await ledger.packagesAt(host, nowMs);
  const about = ofHost(source.status, host);
  if (found === undefined) throw noPackages(host, about);
  const rows = found.packages;
  const doubts = ofHost(source.doubts, host);
  return {
    document: (choice) => reportDocument(packagesJson, rows, { choice, doubts }),
    text: () => renderPackages(rows, doubts[0], { output: context.output, nowMs }),
    hasWork: false,
    about,
  };
}

function noPackages(host: string, [known]: readonly HostStatusRow[]): FettleError {
  if (known === undefined) {
    return new FettleError('usage', `the ledger has no scan of ${host} from before that time`, {
      hint: 'list its hosts with: fettle report hosts',
    });
  }
  return new FettleError('usage', `no packages of ${host} are known: ${doubtWords(known, isoTime)}`, {
    hint: `scan it with: fettle scan ${host}`,
  });
}
