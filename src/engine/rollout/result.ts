import { worstExit } from '../../domain/exit.ts';
import type { ExitName } from '../../domain/exit.ts';
import { isDeniedCode } from '../../domain/error.ts';
import { exitOfOutcome } from '../../domain/outcome.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { countWorking, isUncertain, type Plan, type PlanAbsence } from '../../domain/plan.ts';
import { hasGaps } from '../plan/make-plan.ts';

export interface RunResult {
  readonly exitName: ExitName;
  /** Every reason that speaks for an exit other than ok, the decisive ones first. */
  readonly reasons: readonly string[];
  /** Hosts by verdict; `pending` were never started, `idle` had nothing to do, `absent` took no part in the plan. */
  readonly counts: Readonly<Record<string, number>>;
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

export interface ResultInput {
  readonly plan: Plan;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Hosts of the plan that were never started. */
  readonly pending: readonly string[];
  /** Why nothing more was started, when something was left. */
  readonly stopped?: { readonly exit: ExitName; readonly reason: string };
}

/** Turns the outcomes into the run's exit. The whole plan counts: hosts absent from it for want of an answer too. */
export function runResult(input: ResultInput): RunResult {
  const { plan, outcomes, pending } = input;
  const found: { exit: ExitName; reason: string }[] = [];
  const isLeft = pending.length > 0 || [...outcomes.values()].some(isUndone);
  if (input.stopped !== undefined && isLeft) found.push(input.stopped);
  const denied = [...outcomes.values()].filter((outcome) => isDeniedOutcome(outcome));
  if (denied.length > 0 && denied.length === outcomes.size && pending.length === 0) {
    found.push({
      exit: 'auth',
      reason: 'on every host the credentials or sudo were refused, or the host key did not match',
    });
  }
  const written = plan.hosts.filter(({ rebootSettings }) => rebootSettings.isWritten === true);
  const hasWrittenMode = new Set(written.map((item) => item.host));
  for (const [host, outcome] of outcomes) {
    const exit = exitOfOutcome(outcome, hasWrittenMode.has(host));
    if (exit !== 'ok') found.push({ exit, reason: `${host}: ${outcome.verdict}: ${outcome.reason}` });
  }
  for (const absent of plan.absent) {
    const exit = exitOfAbsence(absent.kind);
    if (exit !== 'ok') found.push({ exit, reason: `${absent.host}: ${absent.kind} when planned: ${absent.reason}` });
  }
  for (const { host, gaps } of plan.hosts) {
    const [gap] = gaps ?? [];
    if (gap !== undefined)
      found.push({ exit: 'partial', reason: `${host}: updates may be missing from its plan: ${gap}` });
  }
  const exitName = worstExit(found.map((item) => item.exit));
  const reasons = found.toSorted((a, b) => Number(b.exit === exitName) - Number(a.exit === exitName));
  return {
    exitName,
    reasons: reasons.map((item) => item.reason),
    counts: { ...countVerdicts(outcomes, pending.length), ...countOthers(plan, outcomes) },
    outcomes,
  };
}

/**
 * What a host costs that took no part when the plan was made. Whoever approved the plan saw it, but it is not patched: that
 * is no `ok`, unless its own variables switch it off.
 */
function exitOfAbsence(kind: PlanAbsence['kind']): ExitName {
  switch (kind) {
    case 'disabled':
      return 'ok';
    case 'duplicate':
    case 'skipped':
      return 'partial';
    case 'failed':
    case 'unreachable':
      return 'unreachable';
  }
}

/**
 * The exit of making a plan: some hosts could not be read, or not whole; all that failed were not reached; there is work,
 * where that was asked for; or only the age of package lists leaves it open whether updates are missing.
 */
export function planExit(plan: Plan, isDetailed: boolean): ExitName {
  const missing = plan.absent.filter((absent) => absent.kind !== 'disabled');
  const isDenied = missing.every(({ error }) => isDeniedCode(error?.code));
  if (missing.length > 0 && plan.hosts.length === 0 && isDenied) return 'auth';
  if (missing.some(({ kind }) => kind !== 'unreachable') || plan.hosts.some(hasGaps)) return 'partial';
  if (missing.length > 0) return 'unreachable';
  if (isDetailed && countWorking(plan) > 0) return 'changes';
  return plan.hosts.some((host) => isUncertain(host, plan)) ? 'unverified' : 'ok';
}

/** Left over by a stop: `run resume` takes it up. */
function isUndone(outcome: Outcome): boolean {
  return outcome.verdict === 'detached' || (outcome.verdict === 'skipped' && outcome.error?.code === 'cancelled');
}

function isDeniedOutcome(outcome: Outcome): boolean {
  return outcome.change === 'none' && isDeniedCode(outcome.error?.code);
}

function countVerdicts(outcomes: ReadonlyMap<string, Outcome>, pending: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { verdict } of outcomes.values()) counts[verdict] = (counts[verdict] ?? 0) + 1;
  if (pending > 0) counts['pending'] = pending;
  return counts;
}

/** Hosts of the plan that the run has no outcome of, nor ever will. */
function countOthers(plan: Plan, outcomes: ReadonlyMap<string, Outcome>): Record<string, number> {
  const idle = plan.hosts.filter(({ host, wave }) => wave < 0 && !outcomes.has(host)).length;
  const absent = plan.absent.length;
  return { ...(idle === 0 ? {} : { idle }), ...(absent === 0 ? {} : { absent }) };
}
