// The rules of a plan in words that people sign.
import { formatDuration } from '../../base/format.ts';
import { plural } from '../../base/text.ts';
import { countWorking, type Plan, type PlannedWave } from '../../domain/plan.ts';
import type { Budget } from '../../domain/playbook.ts';
import { ruleText } from '../../domain/rule-text.ts';
import { allowedFailures } from '../../domain/wave.ts';

export function policyText({ policy }: Plan): string {
  const parts = [
    policy.securityOnly ? 'security updates only' : 'all updates',
    ...(policy.include.length === 0 ? [] : [`included ${policy.include.map(ruleText).join(' or ')}`]),
    ...(policy.exclude.length === 0 ? [] : [`excluded ${policy.exclude.map(ruleText).join(' or ')}`]),
    'held packages stay',
    `phased updates ${policy.includePhased ? 'included' : 'left out'}`,
    `new packages ${policy.newPackages === 'allow' ? 'allowed' : 'refused'}`,
  ];
  return parts.join('; ');
}

/** `2 of 40 hosts (5 %, at least 1): failed, unreachable`: how many may go wrong before no further host starts. */
export function budgetText(plan: Plan): string {
  const { budget } = plan;
  const hosts = countWorking(plan);
  const allowed = allowedFailures(budget, hosts);
  if (allowed === Infinity) return 'no limit';
  const rule = ruleOfBudget(budget);
  const because = rule === String(allowed) ? '' : ` (${rule})`;
  return `${allowed} of ${plural(hosts, 'host')}${because}: ${budget.counts.join(', ') || 'nothing'}`;
}

/** For the line of a wave: what its own budget comes to, or the run's, which counts over all waves. */
export function waveBudgetText({ budget, hosts }: PlannedWave, plan: Plan): string {
  const of = budget ?? plan.budget;
  const allowed = allowedFailures(of, budget === undefined ? countWorking(plan) : hosts.length);
  if (allowed === Infinity) return 'no budget';
  const rule = ruleOfBudget(of);
  const because = budget === undefined ? "the run's" : rule === String(allowed) ? undefined : rule;
  return `budget ${allowed}${because === undefined ? '' : ` (${because})`}`;
}

function ruleOfBudget({ max, percent, atLeast }: Budget): string {
  const share = percent === undefined ? [] : [`${percent} %${atLeast === undefined ? '' : `, at least ${atLeast}`}`];
  const limits = [...(max === undefined ? [] : [String(max)]), ...share];
  return `${limits.join(' or ')}${limits.length > 1 ? ', the smaller' : ''}`;
}

export function installText({ install }: Plan): string {
  const { mode, onDrift, conffile, restartServices, lockWaitMs, timeoutMs } = install;
  const parts = [
    ...(mode === undefined ? [] : [mode === 'download' ? 'download only' : 'only what is downloaded already']),
    `on drift ${onDrift}`,
    `configuration files ${conffile}`,
    `restart services ${restartServices}`,
    `wait ${formatDuration(lockWaitMs)} for locks`,
    `limit ${formatDuration(timeoutMs)}`,
  ];
  return parts.join('; ');
}

export function rebootText({ reboot }: Plan): string {
  if (reboot.mode === 'never') return 'never';
  const limit = reboot.concurrency === undefined ? '' : `; ${reboot.concurrency} at once`;
  const idle = reboot.ifIdle === true ? '; not while a user is logged on' : '';
  return `${reboot.mode}, at most ${reboot.max} a host${limit}${idle}; back within ${formatDuration(reboot.comeBackMs)}`;
}

export function verifyText({ verify }: Plan): string {
  const { failedUnits, listeners, staleProcesses, ignore } = verify;
  const parts = [`failed units ${failedUnits}`, `lost listeners ${listeners}`, `stale processes ${staleProcesses}`];
  return [...parts, ...(ignore.length === 0 ? [] : [`ignoring ${ignore.join(', ')}`])].join('; ');
}

/** One line a hook: when, name, where it runs, what it does when it fails, its hash. */
export function hookTexts({ hooks }: Plan): string[] {
  return (['before_host', 'before_reboot', 'after_host'] as const).flatMap((when) =>
    hooks[when].map(({ name, local, onError, runs, sha256 }) => {
      const where = local === undefined ? 'on the host' : `here: ${local.join(' ')}`;
      const always = when === 'after_host' ? `, ${runs}` : '';
      return `${when} "${name}" ${where}; on error ${onError}${always}; sha256 ${sha256}`;
    }),
  );
}
