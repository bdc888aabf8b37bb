// The end of a run: hosts grouped by what is the case with them, the worst first, and what to do.
import { formatDuration } from '../../base/format.ts';
import { compareHostNames, countedHostNames } from '../../base/host-names.ts';
import { cleanLine, plural } from '../../base/text.ts';
import { addressOf } from '../../domain/error.ts';
import type { RunKind, RunStarted } from '../../domain/event.ts';
import type { Change, Outcome } from '../../domain/outcome.ts';
import { nextSteps } from './next-steps.ts';
import type { OutputStream } from '../text/output.ts';
import type { HostProgress, RunProgress } from './progress.ts';
import { compareStandings, isBad, paintStanding, sortedCounts, type Standing } from './verdicts.ts';
import { wrap } from '../text/width.ts';

export interface SummaryHost {
  readonly host: string;
  readonly standing: Standing;
  readonly change?: Change;
  readonly reason?: string;
  readonly hint?: string;
  /** By which its reason may name it. */
  readonly address?: string;
}

export interface Summary {
  readonly run: string;
  readonly kind: RunKind;
  readonly hosts: readonly SummaryHost[];
  readonly durationMs?: number;
  readonly exit?: { readonly code: number; readonly name: string };
  /** Of the run as a whole. */
  readonly reasons: readonly string[];
  readonly warnings: readonly { readonly host?: string; readonly message: string }[];
}

/** The summary of a run that was watched. */
export function summaryOf(state: RunProgress): Summary {
  const { finished, detached, stopping } = state;
  const texts = [stopping?.message, detached?.message].filter((message) => message !== undefined);
  const { startedMs, endedMs } = state;
  return {
    run: state.run ?? '',
    kind: state.kind ?? 'apply',
    hosts: [...[...state.hosts.values()].map(summaryHost), ...otherHosts(state)],
    reasons: texts,
    warnings: state.warnings,
    ...(startedMs === undefined || endedMs === undefined ? {} : { durationMs: endedMs - startedMs }),
    ...(finished === undefined ? {} : { exit: { code: finished.exitCode, name: finished.exitName } }),
  };
}

function summaryHost({ host, phase, outcome }: HostProgress): SummaryHost {
  if (outcome !== undefined) return { host, standing: outcome.verdict, ...outcomePart(outcome) };
  return { host, standing: phase === 'done' ? 'done' : phase === 'running' ? 'in flight' : 'not started' };
}

/** Hosts of the plan that the run did not touch: nothing to do on them, or no part in the plan. */
export function otherHosts({ idle = [], absent = [] }: Pick<RunStarted, 'idle' | 'absent'>): SummaryHost[] {
  return [
    ...idle.map((host): SummaryHost => ({ host, standing: 'nothing to do' })),
    ...absent.map(({ host, kind, reason }): SummaryHost => {
      if (kind === 'disabled') return { host, standing: 'skipped', reason };
      const hint = 'fix this, then make a new plan';
      return { host, standing: 'absent', reason: `${kind} when the plan was made: ${reason}`, hint };
    }),
  ];
}

export function outcomePart({ change, reason, hint, error }: Outcome): Omit<SummaryHost, 'host' | 'standing'> {
  const address = addressOf(error);
  return { change, reason, ...(hint === undefined ? {} : { hint }), ...(address === undefined ? {} : { address }) };
}

/** Hosts with the same result. */
interface Group {
  readonly hosts: string[];
  readonly example: SummaryHost;
}

const selfMark = 'HOST';

/** The host's own name and address are no difference: three hosts that each refuse a connection are one group. */
export function sharedText(text: string, host: string, address?: string): string {
  return [address, host].reduce((shared: string, name) => {
    if (name === undefined || name === '') return shared;
    const literal = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return shared.replace(new RegExp(`(?<![\\w.-])${literal}(?![\\w-])`, 'g'), selfMark);
  }, text);
}

export function groupHosts(hosts: readonly SummaryHost[]): Group[] {
  const groups = new Map<string, Group>();
  for (const item of hosts.toSorted((a, b) => compareHostNames(a.host, b.host))) {
    const [reason] = sharedText(item.reason ?? '', item.host, item.address)
      .trimStart()
      .split(/[\r\n]/);
    // What was well needs no reasons.
    const key = JSON.stringify(isWell(item) ? [item.standing] : [item.standing, item.change, reason]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { hosts: [item.host], example: item });
    else group.hosts.push(item.host);
  }
  return [...groups.values()].sort(
    (a, b) => compareStandings(a.example.standing, b.example.standing) || b.hosts.length - a.hosts.length,
  );
}

function isWell({ standing, reason }: SummaryHost): boolean {
  return (
    standing === 'done' ||
    standing === 'nothing to do' ||
    (standing === 'verified' && reason?.includes('; noted: ') !== true)
  );
}

/** Several lines, each ended; for stderr at the end of a run and for `run show`. All hosts count, `shown` are named. */
export function renderSummary(summary: Summary, stream: OutputStream, shown = summary.hosts): string {
  const { paint } = stream;
  const columns = Math.max(40, stream.columns()) - 1;
  const lines: string[] = [];
  for (const group of groupHosts(shown)) lines.push(...groupLines(summary, group, { columns, stream }));
  for (const line of warningTexts(summary.warnings)) lines.push(`${paint.yellow('warning')}  ${cleanLine(line)}`);
  for (const reason of summary.reasons) lines.push(cleanLine(reason));
  lines.push(closingLine(summary, stream));
  return `${lines.join('\n')}\n`;
}

/** Equal warnings of several hosts are one; each is listed once. */
function warningTexts(warnings: Summary['warnings']): string[] {
  const groups = Map.groupBy(warnings, ({ host, message }) =>
    host === undefined ? JSON.stringify([message]) : JSON.stringify([sharedText(message, host), true]),
  );
  return [...groups.values()].map((group) => {
    const [first] = group;
    const hosts = [...new Set(group.flatMap(({ host }) => host ?? []))];
    if (hosts.length === 0) return first?.message ?? '';
    if (hosts.length === 1) return `${hosts[0]}: ${first?.message}`;
    return `${countedHostNames(hosts)}: ${sharedText(first?.message ?? '', first?.host ?? '')}`;
  });
}

const indent = ' '.repeat(17);

function groupLines(
  summary: Summary,
  { hosts, example }: Group,
  { columns, stream }: { readonly columns: number; readonly stream: OutputStream },
): string[] {
  const { paint } = stream;
  const { standing, change } = example;
  const names = wrap(cleanLine(countedHostNames(hosts)), columns - indent.length);
  const label = paintStanding(standing, paint, standing.padEnd(indent.length - 1));
  const lines = names.map((line, index) => `${index === 0 ? `${label} ` : indent}${paint.bold(line)}`);
  const put = (text: string): void => {
    lines.push(...wrap(cleanLine(text), columns - indent.length).map((line) => indent + line));
  };
  if (isWell(example)) return lines;
  const shown = (text: string | undefined): string | undefined =>
    hosts.length === 1 || text === undefined ? text : sharedText(text, example.host, example.address);
  const reason = shown(example.reason);
  if (reason !== undefined) put(reason);
  if (change !== undefined && change !== 'none' && standing !== 'verified') put(changeText(change));
  const hint = shown(example.hint);
  if (hint !== undefined) put(`hint: ${hint}`);
  const steps = nextSteps({ run: summary.run, kind: summary.kind, standing, hosts });
  for (const step of steps) lines.push(`${indent}${paint.dim('next:')} ${cleanLine(step)}`);
  return lines;
}

function changeText(change: Exclude<Change, 'none'>): string {
  if (change === 'installed') return 'everything planned was installed';
  return change === 'partial' ? 'a part of the plan was installed' : 'it is unknown what was installed';
}

/** `10 hosts: 1 failed, 9 verified in 3m12s; exit 4 (partial); run 01J…` */
function closingLine(summary: Summary, stream: OutputStream): string {
  const counts: Record<string, number> = {};
  for (const { standing } of summary.hosts) counts[standing] = (counts[standing] ?? 0) + 1;
  const texts = sortedCounts(counts).map(([name, count]) => `${count} ${name}`);
  const { exit, durationMs, kind, run } = summary;
  const parts = [
    `${kind}: ${plural(summary.hosts.length, 'host')}: ${texts.join(', ') || 'none'}`,
    ...(durationMs === undefined ? [] : [` in ${formatDuration(durationMs)}`]),
    ...(exit === undefined ? [] : [`; exit ${exit.code} (${cleanLine(exit.name)})`]),
    ...(run === '' ? [] : [`; run ${cleanLine(run)}`]),
  ];
  const line = parts.join('');
  const isGood = exit?.code === 0 && !summary.hosts.some((host) => isBad(host.standing));
  return isGood ? stream.paint.green(line) : stream.paint.bold(line);
}
