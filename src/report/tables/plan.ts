// The plan as people sign it: everything that will happen, nothing that will not.
import { formatAge, formatBytes, formatTime } from '../../base/format.ts';
import { countedHostNames, foldHostNames } from '../../base/host-names.ts';
import { cleanLine, plural, shellWord } from '../../base/text.ts';
import { addressOf } from '../../domain/error.ts';
import {
  isUncertain,
  type HostPlan,
  type LeftOut,
  type Plan,
  type PlanAbsence,
  type PlannedUpdate,
} from '../../domain/plan.ts';
import type { Output } from '../text/output.ts';
import { packageWords, versionWords } from '../text/package-text.ts';
import { Page } from '../text/sheet.ts';
import { budgetText, hookTexts, installText, policyText, rebootText, verifyText, waveBudgetText } from './plan-text.ts';
import { byClass, byReason, groupWork, isIdle, totalsOf, type WorkGroup } from './plan-work.ts';
import { sharedText } from '../run/summary.ts';
import { fill, widthOf, wrap } from '../text/width.ts';

/** A plan with the hash of its file's bytes. */
export interface PlanSheet {
  readonly plan: Plan;
  /** Hex. */
  readonly sha256: string;
  /** Where it was written to. */
  readonly path?: string | undefined;
}

/** For stdout; width and colour as stdout has them. */
export function renderPlan(sheet: PlanSheet, output: Output): string {
  const { plan } = sheet;
  const page = new Page(output.stdout);
  putHeader(page, sheet, output.clock.now());
  const working = plan.hosts.filter((host) => !isIdle(host));
  if (working.length > 0) {
    putWaves(page, plan);
    for (const group of groupWork(working)) putGroup(page, group, plan.waves.length);
  }
  const [unknown, idle] = idleHosts(plan);
  putIdle(page, 'Nothing to do', idle);
  putIdle(page, 'No update is known, but some may be missing: see the warnings', unknown);
  putAbsent(page, plan);
  if (plan.warnings.length > 0) page.section('Warnings');
  for (const warning of plan.warnings) page.put(2, `- ${warning}`);
  putTotals(page, sheet, output, working.length === 0);
  return page.text();
}

function putHeader(page: Page, { plan, sha256, path }: PlanSheet, nowMs: number): void {
  page.line(page.paint.bold(`Plan ${cleanLine(plan.playbook.name)}`));
  page.field('sha256', sha256);
  page.field('id', plan.id);
  if (path !== undefined) page.field('file', path);
  page.field('created', `${formatTime(plan.createdMs)} by fettle ${plan.fettleVersion}`);
  const isExpired = plan.expiresMs <= nowMs;
  page.field(
    'expires',
    `${formatTime(plan.expiresMs)} (${isExpired ? 'expired ' : ''}${formatAge(plan.expiresMs, nowMs)})`,
  );
  page.field('playbook', `${plan.playbook.name}, sha256 ${plan.playbook.sha256}`);
  page.field('hosts', plan.limit === undefined ? plan.select : `${plan.select}, limited to ${plan.limit}`);
  page.field('policy', policyText(plan));
  page.field('install', installText(plan));
  page.field('reboot', rebootText(plan));
  page.field('verify', verifyText(plan));
  page.field('budget', budgetText(plan));
  if (plan.perSource !== undefined) page.field('sources', `${plan.perSource} hosts at once of one update server`);
  for (const hook of hookTexts(plan)) page.field('hook', hook);
}

function putWaves(page: Page, plan: Plan): void {
  page.section('Waves, one after the other');
  const names = plan.waves.map((wave, index) => `${index + 1} ${cleanLine(wave.name)}`);
  const width = Math.min(24, Math.max(...names.map(widthOf), 0));
  for (const [index, wave] of plan.waves.entries()) {
    const rules = `${wave.concurrency} at once, ${waveBudgetText(wave, plan)}`;
    page.put(2, `${fill(names[index] ?? '', width)}  ${countedHostNames(wave.hosts)}; ${rules}`);
  }
}

function putGroup(page: Page, { hosts, example }: WorkGroup, waves: number): void {
  page.section(cleanLine(countedHostNames(hosts.map((host) => host.host))));
  const inWaves = [...new Set(hosts.map((host) => host.wave + 1))].sort((a, b) => a - b);
  const bytes = hosts.map((host) => host.downloadBytes);
  const [least, most] = [Math.min(...bytes), Math.max(...bytes)];
  const download = least === most ? formatBytes(most) : `${formatBytes(least)} to ${formatBytes(most)}`;
  const parts = [
    example.osName,
    ...(waves > 1 ? [`wave${inWaves.length === 1 ? '' : 's'} ${inWaves.join(', ')}`] : []),
    plural(example.updates.length, 'update'),
    `${download} to download${hosts.length > 1 ? ' each' : ''}`,
  ];
  page.put(2, parts.join(' · '));
  for (const gap of example.gaps ?? [])
    page.line(`  ${page.paint.yellow(cleanLine(`updates may be missing: ${gap}`))}`);
  if (!example.securityKnown && example.gaps === undefined)
    page.line(`  ${page.paint.yellow('security: unknown, no security source is configured')}`);
  if (example.steps.length > 1) page.put(2, stepsText(example.steps));
  page.line(`  ${hostReboot(page, example)}`);
  for (const [name, updates] of byClass(example.updates)) putUpdates(page, name, updates);
  if (example.removals.length > 0) page.line(`  ${page.paint.red('removed')}`);
  for (const item of example.removals) page.put(4, `${packageWords(item)} ${item.version}`);
  for (const [reason, items] of byReason(example.leftOut)) putLeftOut(page, reason, items);
}

/** `installed by apt, then snap; after a failure of apt nothing else is begun`. */
function stepsText(steps: HostPlan['steps']): string {
  const order = steps.map(({ manager }) => manager).join(', then ');
  const stopping = steps
    .slice(0, -1)
    .flatMap(({ manager, afterFailure }) => (afterFailure === 'stop' ? [manager] : []));
  const rule = stopping.length === 0 ? '' : `; after a failure of ${stopping.join(' or ')} nothing else is begun`;
  return `installed by ${order}${rule}`;
}

function hostReboot({ paint }: Page, { reboot, rebootSettings }: HostPlan): string {
  const why = reboot.reasons.length === 0 ? '' : `: ${reboot.reasons.join('; ')}`;
  if (reboot.expected) return paint.yellow(cleanLine(`reboot expected${why}`));
  const isPending = rebootSettings.mode === 'never' && reboot.reasons.length > 0;
  return isPending ? paint.yellow(cleanLine(`reboot needed but never done here${why}`)) : 'no reboot expected';
}

function putUpdates(page: Page, title: string, updates: readonly PlannedUpdate[]): void {
  const painted = title === 'security' ? page.paint.red(title) : title;
  page.line(`  ${painted} (${updates.length})`);
  const hasTitle = ({ title: text = '' }: PlannedUpdate): boolean => text !== '';
  const [titled, others] = [updates.filter(hasTitle), updates.filter((update) => !hasTitle(update))];
  const note = ({ untried, reason }: PlannedUpdate): string =>
    [...(untried ? ['untried'] : []), ...(reason === title ? [] : [reason])].join(', ');
  putColumns(
    page,
    others.map((update) => [packageWords(update), update.from ?? 'not installed', '→', update.to, note(update)]),
  );
  for (const update of titled) {
    page.put(4, [packageWords(update), versionWords(update), note(update)].filter(Boolean).join('  '));
    page.put(6, update.title ?? '');
  }
}

/** Columns as wide as they must be; on a narrow terminal an update takes two lines rather than losing a digit. */
function putColumns(page: Page, rows: readonly (readonly string[])[]): void {
  const cells = rows.map((row) => row.map(cleanLine));
  const widths = [0, 1, 2, 3].map((index) => Math.max(...cells.map((row) => widthOf(row[index] ?? ''))));
  const total = widths.reduce((sum, width) => sum + width, 0) + 3 + 4;
  for (const row of cells) {
    const [name = '', from = '', arrow = '', to = '', note = ''] = row;
    if (total > page.columns) {
      page.put(4, name);
      page.put(6, `${from} ${arrow} ${to}`);
      if (note !== '') page.put(6, note);
      continue;
    }
    const line = [name, from, arrow, to].map((text, index) => fill(text, widths[index] ?? 0)).join(' ');
    const room = page.columns - total - 2;
    if (note === '' || widthOf(note) <= room) {
      page.line(`    ${line}${note === '' ? '' : `  ${page.paint.dim(note)}`}`);
    } else {
      page.line(`    ${line}`);
      page.put(6, note);
    }
  }
}

function putLeftOut(page: Page, reason: string, items: readonly LeftOut[]): void {
  page.put(2, `left out (${items.length}): ${reason}`);
  for (const item of items) {
    page.put(4, `${packageWords(item)} ${versionWords(item)}`);
    if (item.title !== undefined) page.put(6, item.title);
  }
}

/** Those without work, the uncertain ones first. */
function idleHosts(plan: Plan): [readonly HostPlan[], readonly HostPlan[]] {
  const idle = plan.hosts.filter(isIdle);
  return [idle.filter((host) => isUncertain(host, plan)), idle.filter((host) => !isUncertain(host, plan))];
}

function putIdle(page: Page, title: string, idle: readonly HostPlan[]): void {
  if (idle.length === 0) return;
  page.section(title);
  page.put(2, countedHostNames(idle.map((host) => host.host)));
  const cut = idle.filter((host) => host.gaps !== undefined);
  for (const { hosts, example } of groupWork(cut)) {
    for (const gap of example.gaps ?? [])
      page.put(2, `updates may be missing on ${foldHostNames(hosts.map((host) => host.host))}: ${gap}`);
  }
  const blind = idle.filter((host) => !host.securityKnown && host.gaps === undefined);
  if (blind.length > 0) {
    page.put(
      2,
      `security: unknown on ${foldHostNames(blind.map((host) => host.host))}, no security source is configured`,
    );
  }
  const leftOut = idle.filter((host) => host.leftOut.length > 0);
  for (const { hosts, example } of groupWork(leftOut)) {
    for (const [reason, items] of byReason(example.leftOut)) {
      page.put(2, `on ${countedHostNames(hosts.map((host) => host.host))}`);
      putLeftOut(page, reason, items);
    }
  }
}

function putAbsent(page: Page, { absent }: Plan): void {
  if (absent.length === 0) return;
  page.section('Take no part');
  const shared = ({ reason, host, error }: PlanAbsence): string => sharedText(reason, host, addressOf(error));
  const groups = Map.groupBy(absent, (item) => JSON.stringify([item.kind, shared(item)]));
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const names = countedHostNames(group.map((item) => item.host));
    page.put(2, `${first.kind}: ${names}: ${group.length === 1 ? first.reason : shared(first)}`);
  }
}

function putTotals(page: Page, { plan, path }: PlanSheet, output: Output, isEmpty: boolean): void {
  page.line('');
  const away = plan.absent.length === 0 ? '' : `; ${plural(plan.absent.length, 'host')} took no part`;
  if (isEmpty) {
    const [unknown, idle] = idleHosts(plan);
    const parts = [
      ...(idle.length > 0 || unknown.length === 0 ? [`Nothing to do on ${plural(idle.length, 'host')}`] : []),
      ...(unknown.length > 0 ? [`no update known on ${plural(unknown.length, 'host')}, some may be missing`] : []),
    ];
    const text = parts.join('; ');
    page.line(page.paint.bold(`${text.charAt(0).toUpperCase()}${text.slice(1)}${away}`));
    return;
  }
  const totals = totalsOf(plan.hosts);
  const parts = [
    `${plural(totals.updates, 'update')} on ${plural(totals.hosts, 'host')}`,
    `${totals.security} security`,
    ...(totals.untried === 0 ? [] : [`${totals.untried} untried by an earlier wave`]),
    ...(totals.newPackages === 0 ? [] : [plural(totals.newPackages, 'new package')]),
    ...(totals.removals === 0 ? [] : [plural(totals.removals, 'removal')]),
    `${formatBytes(totals.downloadBytes)} to download`,
    `${plural(totals.reboots, 'reboot')} expected`,
  ];
  for (const line of wrap(cleanLine(parts.join(', ') + away), page.columns)) page.line(page.paint.bold(line));
  if (path !== undefined) page.line(output.asTyped(`next: fettle apply ${cleanLine(shellWord(path))}`));
}
