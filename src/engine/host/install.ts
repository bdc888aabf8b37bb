import { FettleError } from '../../domain/error.ts';
import type { RunEvent, StepName } from '../../domain/event.ts';
import type { JobResult } from '../../domain/job.ts';
import type { Change, Outcome, UpdateResult } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import type { ScriptInput } from '../../remote/script.ts';
import { repair } from './check.ts';
import { emit, note, ofHost } from '../context.ts';
import {
  endLost,
  endWith,
  isDone,
  isInstallEnded,
  isPastInstall,
  detachedOutcome,
  openStep,
  scanNow,
  wantedPlan,
} from './host-state.ts';
import type { HostWork } from './host-state.ts';
import {
  addResults,
  changeOf,
  countedResults,
  describeUnfinished,
  hasChanged,
  installedVersion,
  resultFromScan,
  resultOf,
  settledResults,
  unfinished,
} from './install-results.ts';
import { jobOf, managerJob } from '../job/job-order.ts';
import { collectQuietly, concludeByExit, runJob } from '../job/run-job.ts';
import type { JobEnd } from '../job/job-order.ts';
import type { StepConclusion } from '../job/run-job.ts';

/**
 * Installs exactly what drift left to do: one detached job for each package manager, in the order of the plan. Each job
 * reads back the state of the package database, and that is committed with the end of its step. At most one transaction of
 * each package manager in an attempt.
 */
export async function install(work: HostWork): Promise<Outcome | undefined> {
  const { steps } = work.hostPlan;
  const left = steps.filter(({ manager }) => !isInstallEnded(work, manager));
  const isOpen = openStep(work, 'install') !== undefined;
  const isOver = isPastInstall(work) && work.hasBegun && (left.length === 0 || hasLaterStep(work));
  if (!isOpen && (isOver || (steps.length > 0 && left.length === 0))) {
    await recall(work);
    const bad = unfinished(work);
    if (bad.length > 0) return installFailed(work, new FettleError('command', describeUnfinished(bad)));
    return downloadedOnly(work);
  }
  if (!isOpen && work.toInstall.length === 0) {
    await conclude(work, settledResults(work, work.hostPlan.updates), 'none');
    return undefined;
  }
  if (!isOpen && left.length === steps.length && work.context.stop.aborted) return stoppedBefore(work);
  work.results = left.length === steps.length ? [] : (work.recorded?.results ?? []);
  return installInOrder(work);
}

/** A failure that the plan lets others follow counts when they have had their turn. */
async function installInOrder(work: HostWork): Promise<Outcome | undefined> {
  const { steps } = work.hostPlan;
  const errors: FettleError[] = [];
  for (const [at, { manager, afterFailure }] of steps.entries()) {
    const end = isInstallEnded(work, manager) ? endOf(work, manager) : await installBy(work, manager);
    if (end.kind === 'end') return end.outcome;
    if (end.kind === 'done') continue;
    errors.push(end.error);
    if (afterFailure === 'continue') continue;
    const behind = steps.slice(at + 1).map((step) => step.manager);
    await leaveOut(work, behind, `not begun, since the install by ${manager} failed`);
    break;
  }
  const [first] = errors;
  if (first === undefined) return downloadedOnly(work);
  if (errors.length === 1) return installFailed(work, first);
  return installFailed(work, new FettleError('command', errors.map(({ message }) => message).join('; ')));
}

/** Records that nothing of these package managers was begun, and why. */
async function leaveOut(work: HostWork, managers: readonly string[], message: string): Promise<void> {
  const left = work.hostPlan.updates.filter((update) => managers.includes(update.manager));
  if (left.length === 0) return;
  const results = left.map((update) => ({
    ...resultOf(update, 'not-installed', installedVersion(work, update)),
    message,
  }));
  await conclude(work, [...work.results, ...results], work.change);
}

/** A refusal ends the host, unless another package manager has changed it: then its restart and verification are due. */
async function refusedBy(work: HostWork, manager: string, outcome: Outcome): Promise<PartEnd> {
  if (!hasChanged(work)) return { kind: 'end', outcome };
  await leaveOut(work, [manager], outcome.reason);
  return { kind: 'failed', error: new FettleError('command', `${manager}: ${outcome.reason}`) };
}

/** How the part of one package manager ended: `end` is the end of the host. */
type PartEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: FettleError }
  | { readonly kind: 'end'; readonly outcome: Outcome };

/** By what is recorded of its updates. A refusal may have ended before it was recorded that nothing was begun. */
function endOf(work: HostWork, manager: string): PartEnd {
  const bad = unfinished(work, manager);
  if (bad.length > 0) return { kind: 'failed', error: new FettleError('command', describeUnfinished(bad)) };
  const isWorking = work.hostPlan.updates.some((update) => update.manager === manager);
  if (!isWorking || work.results.some((result) => result.manager === manager)) return { kind: 'done' };
  return { kind: 'failed', error: new FettleError('command', `the install by ${manager} ended without a result`) };
}

async function installBy(work: HostWork, manager: string): Promise<PartEnd> {
  const { context } = work;
  const planned = work.hostPlan.updates.filter((update) => update.manager === manager);
  if (
    openStep(work, 'install', manager) === undefined &&
    !work.toInstall.some((update) => update.manager === manager)
  ) {
    await conclude(work, [...work.results, ...settledResults(work, planned)], work.change);
    return { kind: 'done' };
  }
  const hadBegun = work.hasBegun;
  work.hasBegun = true;
  work.current = undefined;
  const end = await runInstall(work, manager);
  switch (end.kind) {
    case 'detached':
      return { kind: 'end', outcome: detachedOutcome(work) };
    case 'lost':
      return { kind: 'end', outcome: endLost(work, end.error, 'install') };
    case 'refused':
      work.hasBegun = hadBegun;
      if (end.error.code !== 'lock-held' && !hasChanged(work)) throw end.error;
      return refusedBy(work, manager, endWith(work, 'skipped', end.error.message, { error: end.error }));
    case 'done':
      return afterInstall(work, end.result, manager);
    case 'collected':
      return readBack(work, manager);
    case 'crashed':
    case 'interrupted':
      await note(context, 'warn', `the install ended without a result (${end.kind}); fettle repairs the packages`);
      return readBackRepaired(work, manager);
  }
}

function hasLaterStep(work: HostWork): boolean {
  const later: readonly StepName[] = ['restart', 'reboot', 'verify'];
  return later.some((step) => isDone(work, step) || openStep(work, step) !== undefined);
}

/** An earlier process saw the end of the install; its results are in the record. */
async function recall(work: HostWork): Promise<void> {
  const { context } = work;
  work.results = work.recorded?.results ?? [];
  work.change = changeOf(countedResults(work), work.change);
  for (const { manager } of work.hostPlan.steps) {
    await collectQuietly(context, jobOf(context, { step: 'install', part: `install-${manager}` }));
  }
}

/** The last point at which a host may still be let alone. */
export function stoppedBefore(work: HostWork): Outcome {
  const error = new FettleError('cancelled', 'the rollout stopped before anything was installed on the host', {
    hint: `fettle run resume ${work.context.run}`,
  });
  return endWith(work, 'skipped', error.message, { error });
}

function runInstall(work: HostWork, name: string): Promise<JobEnd> {
  const { context, plan, superseded, skipped } = work;
  const manager = context.packageManager(name);
  const open = openStep(work, 'install', name);
  const isAdjusted = superseded.length > 0 || skipped.length > 0;
  const isOwn = (update: PlannedUpdate): boolean => update.manager === name;
  const toInstall = work.toInstall.filter(isOwn);
  const order = managerJob({
    step: 'install',
    manager: name,
    request: withJudgement(work, name, manager.installRequest(toInstall, plan.install)),
    timeoutMs: plan.install.timeoutMs,
    ...(isAdjusted ? { adjustment: { superseded, skipped } } : {}),
    ...(open === undefined ? {} : { open }),
  });
  return runJob(context, order, (end): StepConclusion => {
    if (end.kind !== 'done' || isRefusal(end.result)) return concludeByExit(end);
    const results = manager.readInstall(end.result, wantedPlan(work).updates.filter(isOwn), toInstall);
    addResults(work, name, results);
    work.change = changeOf(countedResults(work), 'installed');
    const bad = unfinished(work, name);
    const message = bad.length > 0 ? describeUnfinished(bad) : concludeByExit(end).message;
    return { ok: bad.length === 0, ...(message === undefined ? {} : { message }), events: [updateEvent(work)] };
  });
}

/** The host need not simulate again what was judged already, as long as nothing has changed by then. */
function withJudgement({ fingerprints }: HostWork, manager: string, request: ScriptInput): ScriptInput {
  const fingerprint = fingerprints.get(manager);
  return fingerprint === undefined ? request : { ...request, fields: { ...request.fields, fingerprint } };
}

/** Verdicts by which the job script reports that it has not begun. */
function isRefusal(result: JobResult): boolean {
  // A disk that fills up in the middle of the work comes with the package manager's own failing exit.
  if (result.verdict === 'disk') return result.exitCode === 0;
  return ['drift', 'locked', 'broken-before', 'bad-request'].includes(result.verdict);
}

async function afterInstall(work: HostWork, result: JobResult, manager: string): Promise<PartEnd> {
  if (isRefusal(result)) return refusedBy(work, manager, refusedByJob(work, result));
  const bad = unfinished(work, manager);
  if (bad.length === 0) return { kind: 'done' };
  const words = result.message ?? `the package manager ended with ${result.exitCode}`;
  const error = new FettleError('command', `${describeUnfinished(bad)}: ${words}`, {
    details: { exitCode: result.exitCode },
  });
  return { kind: 'failed', error };
}

/** Nothing was patched, so nothing is verified: what was asked for is done. */
function downloadedOnly(work: HostWork): Outcome | undefined {
  const count = work.results.filter((result) => result.state === 'downloaded').length;
  if (count === 0) return undefined;
  return endWith(work, 'skipped', `downloaded, not installed: ${count} ${count === 1 ? 'update' : 'updates'}`, {
    hint: 'install them with a playbook that sets install.mode: cached',
  });
}

function refusedByJob(work: HostWork, result: JobResult): Outcome {
  const words = result.message ?? result.verdict;
  switch (result.verdict) {
    case 'drift':
      return endWith(work, 'drifted', words, {
        error: new FettleError('drifted', words),
        hint: 'make a new plan with `fettle plan`, or set on_drift',
      });
    case 'locked':
      return endWith(work, 'failed', words, {
        error: new FettleError('lock-held', words, {
          hint: 'resume the run when the other package manager has finished',
        }),
      });
    case 'disk':
      return endWith(work, 'failed', words, {
        error: new FettleError('disk', words, { hint: 'free disk space on the host, then resume the run' }),
      });
    default:
      return endWith(work, 'failed', words, { error: new FettleError('command', words) });
  }
}

/** No result of the job's own: the package database has the result. */
async function readBack(work: HostWork, manager: string): Promise<PartEnd> {
  const scan = await scanNow(work, 'after');
  const own = wantedPlan(work).updates.filter((update) => update.manager === manager);
  addResults(
    work,
    manager,
    own.map((update) => resultFromScan(update, scan)),
  );
  await conclude(work, work.results, 'unknown');
  return endOf(work, manager);
}

/** Read back whether the repair worked or not, so that a later try knows what is of its own making. */
async function readBackRepaired(work: HostWork, manager: string): Promise<PartEnd> {
  const failure = await repair(work, manager);
  if (failure?.verdict === 'detached') return { kind: 'end', outcome: failure };
  const end = await readBack(work, manager);
  return failure === undefined ? end : { kind: 'end', outcome: failure };
}

/**
 * The host ends as failed. Where other updates went in and nothing is left half done, their restart comes first: that
 * one update failed is no reason to leave the others without effect.
 */
function installFailed(work: HostWork, error: FettleError): Outcome | undefined {
  const { context } = work;
  const hint = `see fettle run logs ${context.run} ${context.host.name}; repair it, then fettle run resume ${context.run}`;
  const failure = endWith(work, 'failed', error.message, { error, hint });
  if (work.change !== 'partial' || work.results.some((result) => result.state === 'broken')) return failure;
  work.failure = failure;
  return undefined;
}

async function conclude(work: HostWork, results: readonly UpdateResult[], whenNothing: Change): Promise<void> {
  work.results = results;
  work.change = changeOf(countedResults(work), whenNothing);
  if (work.results.length > 0) await emit(work.context, [updateEvent(work)]);
}

function updateEvent(work: HostWork): RunEvent {
  return { type: 'update.finished', ...ofHost(work.context), results: work.results };
}
