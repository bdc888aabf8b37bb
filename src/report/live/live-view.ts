// The picture of a running rollout; pure. Only what runs and what is bad gets lines of its own.
import type { ChalkInstance } from 'chalk';
import { formatDuration } from '../../base/format.ts';
import { compareHostNames, countedHostNames, foldHostNames } from '../../base/host-names.ts';
import { cleanLine } from '../../base/text.ts';
import type { HostProgress, RunProgress } from '../run/progress.ts';
import { groupHosts, outcomePart, sharedText, type SummaryHost } from '../run/summary.ts';
import { isBad, paintStanding, sortedCounts } from '../run/verdicts.ts';
import { fill, fit, widthOf } from '../text/width.ts';

export interface LiveFrame {
  readonly columns: number;
  readonly rows: number;
  readonly paint: ChalkInstance;
  /** In the reading the state was folded with. */
  readonly nowMs: number;
}

/** At most `rows - 1` lines, none wider than `columns - 1`, so that nothing wraps or scrolls. */
export function renderLive(state: RunProgress, frame: LiveFrame): string {
  const columns = Math.max(1, frame.columns - 1);
  const rows = Math.max(1, frame.rows - 1);
  const inner = { ...frame, columns, rows };
  const header = headerLines(state, inner).slice(0, rows);
  const bad = badLines(state, inner);
  const room = rows - header.length;
  const shownBad = bad.slice(0, Math.max(0, Math.floor(room / 2)));
  const running = runningLines(state, { ...inner, rows: Math.max(0, room - shownBad.length) });
  return [...header, ...shownBad, ...running].join('\n');
}

/** Whole seconds: what is drawn changes no more often than it must. */
function passed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 60 ? `${seconds}s` : formatDuration(seconds * 1000);
}

function headerLines(state: RunProgress, { columns, paint, nowMs }: LiveFrame): string[] {
  const hosts = [...state.hosts.values()];
  const done = hosts.filter((host) => host.phase === 'done').length;
  const wave = state.wave === undefined ? '' : ` · wave ${state.wave.index + 1} (${cleanLine(state.wave.name)})`;
  const elapsed = passed(nowMs - (state.startedMs ?? nowMs));
  const stopping = state.stopping === undefined ? '' : ' · stopping';
  const title = `${state.kind ?? 'run'}${wave} · ${done}/${hosts.length} done · ${elapsed}${stopping}`;
  const counts = sortedCounts(countStandings(hosts)).map(([name, count]) => ({ name, text: `${count} ${name}` }));
  const { budget } = state;
  const allowed = budget?.allowed === Infinity ? 'no limit' : String(budget?.allowed ?? '');
  const spent = budget === undefined ? '' : `budget ${budget.spent} of ${allowed} spent`;
  const plain = [...counts.map(({ text }) => text), ...(spent === '' ? [] : [spent])].join(' · ');
  const lines = [paint.bold(fit(title, columns))];
  if (plain === '') return lines;
  const isOver = budget !== undefined && budget.spent > budget.allowed;
  const painted = [
    ...counts.map(({ name, text }) => paintStanding(name, paint, text)),
    ...(spent === '' ? [] : [isOver ? paint.red(spent) : spent]),
  ].join(' · ');
  return [...lines, widthOf(plain) <= columns ? painted : fit(plain, columns)];
}

function countStandings(hosts: readonly HostProgress[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { phase, outcome } of hosts) {
    const name = outcome?.verdict ?? (phase === 'done' ? 'done' : undefined);
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function badLines(state: RunProgress, { columns, paint }: LiveFrame): string[] {
  const bad = [...state.hosts.values()].flatMap(({ host, outcome }): SummaryHost[] =>
    outcome !== undefined && isBad(outcome.verdict)
      ? [{ host, standing: outcome.verdict, ...outcomePart(outcome) }]
      : [],
  );
  return groupHosts(bad).map(({ hosts, example }) => {
    const names = hosts.length === 1 ? cleanLine(example.host) : cleanLine(countedHostNames(hosts));
    const label = fit(example.standing, columns);
    const { reason = '', address } = example;
    const shownReason = hosts.length === 1 ? reason : sharedText(reason, example.host, address);
    const rest = fit(` ${names}  ${cleanLine(shownReason)}`, columns - widthOf(label));
    return paintStanding(example.standing, paint, label) + rest;
  });
}

/** One line a host while there is room; else the rest is folded by step. */
function runningLines(state: RunProgress, frame: LiveFrame): string[] {
  const running = [...state.hosts.values()]
    .filter((host) => host.phase === 'running')
    .sort((a, b) => a.stepSinceMs - b.stepSinceMs || compareHostNames(a.host, b.host));
  if (frame.rows <= 0) return [];
  const nameWidth = Math.min(24, Math.max(...running.map((host) => widthOf(cleanLine(host.host))), 4));
  if (running.length <= frame.rows) return running.map((host) => runningLine(host, nameWidth, frame));
  const shown = running.slice(0, Math.max(0, frame.rows - 1));
  return [...shown.map((host) => runningLine(host, nameWidth, frame)), foldedLine(running.slice(shown.length), frame)];
}

function runningLine(host: HostProgress, nameWidth: number, { columns, paint, nowMs }: LiveFrame): string {
  const since = passed(nowMs - host.stepSinceMs);
  const name = fit(fill(cleanLine(host.host), nameWidth), columns);
  const step = fit(` ${fill(host.step ?? '', 13)} ${since.padStart(6)}`, columns - widthOf(name));
  const newest = cleanLine(host.line ?? host.note ?? '').trim();
  const line = fit(newest === '' ? '' : `  ${newest}`, columns - widthOf(name) - widthOf(step));
  return `${paint.cyan(name)}${step}${paint.dim(line)}`;
}

function foldedLine(hosts: readonly HostProgress[], { columns, paint }: LiveFrame): string {
  const bySteps = Map.groupBy(hosts, (host) => host.step ?? 'connect');
  const steps = [...bySteps].map(([step, group]) => `${group.length} ${step}`).join(', ');
  const names = foldHostNames(hosts.map((host) => host.host));
  return paint.cyan(fit(cleanLine(`and ${hosts.length} more: ${steps}: ${names}`), columns));
}
