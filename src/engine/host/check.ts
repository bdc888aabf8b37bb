import { installMismatch, judgeDrift, mergeJudgements } from '../../domain/drift.ts';
import type { DriftJudgement } from '../../domain/drift.ts';
import { FettleError, isUnreached } from '../../domain/error.ts';
import { updateStates, type Outcome } from '../../domain/outcome.ts';
import type { HostPlan, PlannedUpdate } from '../../domain/plan.ts';
import type { HostScan } from '../../domain/scan.ts';
import type { Simulation } from '../../domain/simulation.ts';
import { packageKey, type PackageId } from '../../domain/update.ts';
import { note } from '../context.ts';
import {
  endLost,
  endWith,
  inStep,
  isDone,
  isInstallEnded,
  isPastInstall,
  detachedOutcome,
  openStep,
  scanNow,
  wantedPlan,
} from './host-state.ts';
import type { HostWork } from './host-state.ts';
import { managerJob } from '../job/job-order.ts';
import { concludeByExit, runJob } from '../job/run-job.ts';
import { settleLeftovers } from './unfinished-jobs.ts';
import { passesWhileAtWork, retryThroughOutages } from '../job/retry.ts';
import { judgePreflight } from './preflight.ts';
import { recallCheck } from './recall-check.ts';

/** For fetching alone; waiting for the lock of another package manager comes on top. */
const refreshTimeoutMs = 15 * 60_000;

/** Connects; a host in the middle of its reboot is left to the reboot stage. */
export async function connect(work: HostWork): Promise<Outcome | undefined> {
  if (openStep(work, 'reboot') !== undefined) return undefined;
  await inStep(work.context, 'connect', () => work.context.remote.connect(work.context.detach));
  await settleLeftovers(work);
  return undefined;
}

/**
 * Everything that can be known before the first change: is the host ours to touch, fit for it, and would its package
 * manager still do exactly what was planned. Passed over where the install was begun.
 */
export async function check(work: HostWork): Promise<Outcome | undefined> {
  if (isPastInstall(work) && !(await isInstallAbsent(work))) {
    work.before = work.recorded?.before;
    return undefined;
  }
  const before = await recallCheck(work);
  if (before !== undefined) return judgeFitness(work, before);
  const outcome = await preflight(work);
  return outcome ?? (await refresh(work)) ?? (await judge(work));
}

/** The controller died between the commit and the start: the host knows nothing of the job, so nothing has begun. */
async function isInstallAbsent(work: HostWork): Promise<boolean> {
  const open = openStep(work, 'install');
  if (open?.job === undefined || work.hostPlan.steps.some(({ manager }) => isInstallEnded(work, manager))) return false;
  const { job } = open;
  const { limits, remote, detach: signal } = work.context;
  const patience = { limitMs: limits.outageMs, isPassing: passesWhileAtWork(work.context) };
  const news = await retryThroughOutages(work.context, patience, () =>
    remote.followJob(job, 0, { waitSec: 0, maxBytes: 1, signal }),
  );
  const { status } = news;
  if (status.phase !== 'absent') return false;
  work.hasBegun = false;
  work.isInstallOpen = false;
  return true;
}

async function preflight(work: HostWork): Promise<Outcome | undefined> {
  const scan = await inStep(work.context, 'preflight', () => scanNow(work, 'before'));
  work.before = scan;
  return judgeFitness(work, scan);
}

async function judgeFitness(work: HostWork, scan: HostScan): Promise<Outcome | undefined> {
  const { context, hostPlan } = work;
  const judgement = judgePreflight({
    run: context.run,
    host: context.host,
    hostPlan,
    scan,
    managers: scan.managers.map((name) => context.packageManager(name)),
    nowMs: context.clock.now(),
    mayRepair: isOurBreakage(work, scan),
  });
  // Of a check that is recalled, they are in the record already.
  const warnings = scan === work.checked?.before ? [] : judgement.warnings;
  for (const warning of warnings) await note(context, 'warn', warning);
  const { leaveAlone, failure } = judgement;
  if (leaveAlone !== undefined) {
    const isHeld = leaveAlone.code === 'lock-held';
    return endWith(work, 'skipped', leaveAlone.message, isHeld ? { error: leaveAlone } : {});
  }
  if (failure !== undefined) return endWith(work, 'failed', failure.message, { error: failure });
  return judgement.needsRepair ? repairAll(work, scan) : undefined;
}

async function repairAll(work: HostWork, { broken }: HostScan): Promise<Outcome | undefined> {
  for (const manager of new Set(broken.map((item) => item.manager))) {
    const outcome = await repair(work, manager);
    if (outcome !== undefined) return outcome;
  }
  return undefined;
}

/** Broken packages are ours when an earlier try of this run read each of them back as not well installed. */
function isOurBreakage(work: HostWork, scan: HostScan): boolean {
  const bad = (work.recorded?.results ?? []).filter((result) => !updateStates[result.state].isAsPlanned);
  const successors = (work.recorded?.adjustment?.superseded ?? []).map((pair) => pair.successor);
  const ours = new Set([...bad, ...successors].map(packageKey));
  return scan.broken.every((item) => ours.has(packageKey(item)));
}

/** Has the package manager finish what an earlier job left half done: a job and a step of its own. */
export async function repair(work: HostWork, manager: string): Promise<Outcome | undefined> {
  const { context, plan } = work;
  const updates = wantedPlan(work).updates.filter((update) => update.manager === manager);
  const request = context.packageManager(manager).repairRequest?.(updates, plan.install);
  if (request === undefined) return undefined;
  const open = openStep(work, 'repair', manager);
  work.hasBegun = true;
  const { timeoutMs } = plan.install;
  const order = managerJob({ step: 'repair', manager, request, timeoutMs, ...(open === undefined ? {} : { open }) });
  const end = await runJob(context, order);
  work.current = undefined;
  switch (end.kind) {
    case 'detached':
      return detachedOutcome(work);
    case 'lost':
      return endLost(work, end.error, 'repair');
    case 'refused':
      return endWith(work, 'failed', `the repair could not start: ${end.error.message}`, { error: end.error });
    case 'done':
      if (end.result.exitCode === 0 && end.result.verdict === 'ok') return undefined;
      return endWith(work, 'failed', `the repair failed: ${end.result.message ?? end.result.verdict}`, {
        hint: 'repair the packages on the host, then resume the run',
      });
    default:
      // Whether it got to its end is read back from the package database.
      return undefined;
  }
}

async function refresh(work: HostWork): Promise<Outcome | undefined> {
  if (work.isRefreshed === true || isDone(work, 'refresh') || work.hostPlan.updates.length === 0) return undefined;
  for (const { manager } of work.hostPlan.steps) {
    const outcome = await refreshOne(work, manager);
    if (outcome !== undefined) return outcome;
  }
  return undefined;
}

async function refreshOne(work: HostWork, manager: string): Promise<Outcome | undefined> {
  const { context, plan } = work;
  const request = context.packageManager(manager).refreshRequest?.(plan.install.lockWaitMs);
  if (request === undefined) return undefined;
  const open = openStep(work, 'refresh', manager);
  const timeoutMs = plan.install.lockWaitMs + refreshTimeoutMs;
  const order = managerJob({ step: 'refresh', manager, request, timeoutMs, ...(open === undefined ? {} : { open }) });
  const end = await runJob(context, order);
  if (end.kind === 'detached') return detachedOutcome(work);
  if (end.kind === 'lost') return endLost(work, end.error, 'refresh');
  if (end.kind === 'refused' && (isUnreached(end.error) || end.error.code === 'lock-held')) throw end.error;
  const isFresh = end.kind === 'collected' || (end.kind === 'done' && end.result.exitCode === 0);
  if (!isFresh) {
    const { message } = concludeByExit(end);
    const why = message === undefined ? '' : `: ${message}`;
    await note(
      context,
      'warn',
      `package metadata could not be refreshed; checking drift against existing metadata${why}`,
    );
  }
  return undefined;
}

async function judge(work: HostWork): Promise<Outcome | undefined> {
  const { hostPlan, plan } = work;
  if (hostPlan.updates.length === 0) {
    work.toInstall = [];
    return undefined;
  }
  const superseded = work.recorded?.adjustment?.superseded ?? [];
  const judgements: DriftJudgement[] = [];
  for (const { manager } of hostPlan.steps) {
    const own = ofManager(hostPlan, manager);
    judgements.push(
      judgeDrift({
        plan: own,
        simulation: await simulate(work, manager, own.updates),
        onDrift: plan.install.onDrift,
        superseded: superseded.filter(({ planned }) => planned.manager === manager),
      }),
    );
  }
  const judgement = mergeJudgements(judgements);
  switch (judgement.kind) {
    case 'clean':
      work.toInstall = judgement.install;
      return undefined;
    case 'drifted':
      return drifted(work, judgement.reasons);
    case 'adjusted':
      return adjust(work, judgement);
  }
}

function ofManager({ updates, removals }: HostPlan, manager: string): Pick<HostPlan, 'updates' | 'removals'> {
  const isOwn = (item: PackageId): boolean => item.manager === manager;
  return { updates: updates.filter(isOwn), removals: removals.filter(isOwn) };
}

async function adjust(
  work: HostWork,
  judgement: Extract<DriftJudgement, { kind: 'adjusted' }>,
): Promise<Outcome | undefined> {
  const { install, skipped, superseded } = judgement;
  for (const [manager, updates] of Map.groupBy(install, (update) => update.manager)) {
    const mismatch = installMismatch(updates, await simulate(work, manager, updates));
    if (mismatch.length > 0) return drifted(work, mismatch);
  }
  work.toInstall = install;
  work.skipped = skipped.map((item) => packageKey(item.update));
  work.superseded = superseded;
  for (const { reason } of skipped) await note(work.context, 'warn', `skipped (on_drift: skip): ${reason}`);
  for (const { planned, successor } of superseded) {
    const message = `superseded (on_drift: supersede): ${planned.name} ${planned.to} by ${successor.name} ${successor.to}`;
    await note(work.context, 'warn', message);
  }
  return undefined;
}

async function simulate(work: HostWork, manager: string, updates: readonly PlannedUpdate[]): Promise<Simulation> {
  const request = { manager, updates, isSized: false };
  const simulation = await work.context.remote.simulate(request, work.context.detach);
  work.fingerprints = new Map([...work.fingerprints, [manager, simulation.fingerprint]]);
  return simulation;
}

function drifted(work: HostWork, reasons: readonly string[]): Outcome {
  const shown = reasons.slice(0, 3).join('; ');
  const more = reasons.length > 3 ? `; and ${reasons.length - 3} more` : '';
  const error = new FettleError('drifted', `${shown}${more}`, { details: { reasons } });
  return endWith(work, 'drifted', error.message, {
    error,
    hint: 'make a new plan with `fettle plan`, or set on_drift',
  });
}
