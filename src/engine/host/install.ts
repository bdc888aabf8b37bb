import { FettleError } from '../../domain/error.ts';
import type { Superseded } from '../../domain/drift.ts';
import type { RunEvent } from '../../domain/event.ts';
import type { JobResult } from '../../domain/job.ts';
import { updateStates, type Change, type Outcome, type UpdateResult, type UpdateState } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import type { HostScan } from '../../domain/scan.ts';
import { findPackage, packageKey } from '../../domain/update.ts';
import { repair } from './check.ts';
import { emit, note, ofHost } from '../context.ts';
import { endLost, endWith, isPastInstall, detachedOutcome, openStep, scanNow, wantedPlan } from './host-state.ts';
import type { HostWork } from './host-state.ts';
import { collectQuietly, concludeByExit, jobOf, runJob } from '../job/run-job.ts';
import type { JobEnd, StepConclusion } from '../job/run-job.ts';

/**
 * Installs exactly what drift left to do, as one detached job; reads back what the package database says and commits
 * it with the end of the step. At most one package transaction an attempt.
 */
export async function install(work: HostWork): Promise<Outcome | undefined> {
  const { context } = work;
  if (!work.isInstallOpen && isPastInstall(work) && work.hasBegun && openStep(work, 'install') === undefined) {
    await recall(work);
    const bad = unfinished(work);
    if (bad.length > 0) return installFailed(work, new FettleError('command', describe(bad)));
    return downloadedOnly(work);
  }
  if (!work.isInstallOpen && work.toInstall.length === 0) {
    await conclude(work, [], 'none');
    return undefined;
  }
  if (!work.isInstallOpen && context.stop.aborted) return stoppedBefore(work);
  const hadBegun = work.hasBegun;
  work.hasBegun = true;
  work.current = undefined;
  const end = await runInstall(work);
  switch (end.kind) {
    case 'detached':
      return detachedOutcome(work);
    case 'lost':
      return endLost(work, end.error, 'install');
    case 'refused':
      work.hasBegun = hadBegun;
      return refused(work, end.error);
    case 'done':
      return afterInstall(work, end.result);
    case 'collected':
      return readBack(work);
    case 'crashed':
    case 'interrupted':
      await note(context, 'warn', `the install ended without a result (${end.kind}); fettle repairs the packages`);
      return readBackRepaired(work);
  }
}

/** An earlier process saw the end of the install; its results are in the record. */
async function recall(work: HostWork): Promise<void> {
  const { context } = work;
  work.results = work.recorded?.results ?? [];
  work.change = changeOf(held(work), work.change);
  await collectQuietly(context, jobOf(context, { step: 'install' }));
}

/** The last point at which a host may still be let alone. */
export function stoppedBefore(work: HostWork): Outcome {
  const error = new FettleError('cancelled', 'the rollout stopped before anything was installed on the host', {
    hint: `fettle run resume ${work.context.run}`,
  });
  return endWith(work, 'skipped', error.message, { error });
}

function runInstall(work: HostWork): Promise<JobEnd> {
  const { context, hostPlan, plan, superseded, skipped } = work;
  const manager = context.manager(hostPlan.manager);
  const open = openStep(work, 'install');
  const isAdjusted = superseded.length > 0 || skipped.length > 0;
  const order = {
    step: 'install',
    kind: 'install',
    request: manager.installRequest(work.toInstall, plan.install),
    timeoutMs: plan.install.timeoutMs,
    ...(isAdjusted ? { adjustment: { superseded, skipped } } : {}),
    ...(open === undefined ? {} : { open }),
  } as const;
  return runJob(context, order, (end): StepConclusion => {
    if (end.kind !== 'done' || isRefusal(end.result)) return concludeByExit(end);
    const results = manager.readInstall(end.result, wantedPlan(work), work.toInstall);
    work.results = withAlready(work, asPlanned(work, results));
    work.change = changeOf(held(work), 'installed');
    const bad = unfinished(work);
    const message = bad.length > 0 ? describe(bad) : concludeByExit(end).message;
    return { ok: bad.length === 0, ...(message === undefined ? {} : { message }), events: [updateEvent(work)] };
  });
}

/** Verdicts by which the job script says that it has not begun. */
function isRefusal(result: JobResult): boolean {
  // A disk that fills up in the middle of the work comes with the package manager's own failing exit.
  if (result.verdict === 'disk') return result.exitCode === 0;
  return ['drift', 'locked', 'broken-before', 'bad-request'].includes(result.verdict);
}

function afterInstall(work: HostWork, result: JobResult): Outcome | undefined {
  if (isRefusal(result)) return refusedByJob(work, result);
  const bad = unfinished(work);
  if (bad.length === 0) return downloadedOnly(work);
  const said = result.message ?? `the package manager ended with ${result.exitCode}`;
  const error = new FettleError('command', `${describe(bad)}: ${said}`, { details: { exitCode: result.exitCode } });
  return installFailed(work, error);
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
  const said = result.message ?? result.verdict;
  switch (result.verdict) {
    case 'drift':
      return endWith(work, 'drifted', said, {
        error: new FettleError('drifted', said),
        hint: 'make a new plan with `fettle plan`, or set on_drift',
      });
    case 'locked':
      return endWith(work, 'failed', said, {
        error: new FettleError('lock-held', said, {
          hint: 'resume the run when the other package manager has finished',
        }),
      });
    case 'disk':
      return endWith(work, 'failed', said, {
        error: new FettleError('disk', said, { hint: 'free disk space on the host, then resume the run' }),
      });
    default:
      return endWith(work, 'failed', said, { error: new FettleError('command', said) });
  }
}

function refused(work: HostWork, error: FettleError): Outcome {
  if (error.code === 'lock-held') return endWith(work, 'skipped', error.message, { error });
  throw error;
}

/** No result of the job's own: what the package database says is the result. */
async function readBack(work: HostWork): Promise<Outcome | undefined> {
  const scan = await scanNow(work, 'after');
  const results = wantedPlan(work).updates.map((update) => resultFromScan(update, scan));
  await conclude(work, asPlanned(work, results), 'unknown');
  const bad = unfinished(work);
  return bad.length === 0 ? undefined : installFailed(work, new FettleError('command', describe(bad)));
}

/** Read back whether the repair worked or not, so that a later try knows what is of our own making. */
async function readBackRepaired(work: HostWork): Promise<Outcome | undefined> {
  const failure = await repair(work);
  if (failure?.verdict === 'detached') return failure;
  const outcome = await readBack(work);
  return failure ?? outcome;
}

/** Reads one planned update from the host's package list, as far as a list can tell. */
function resultFromScan(update: PlannedUpdate, scan: HostScan): UpdateResult {
  const key = packageKey(update);
  const found = findPackage(scan.packages, key);
  const isBroken = findPackage(scan.broken, key) !== undefined;
  const { name, arch, from, to } = update;
  const now = found?.version ?? null;
  const state: UpdateState = isBroken
    ? 'broken'
    : now === to
      ? 'installed'
      : now === null
        ? 'removed'
        : 'not-installed';
  // Without a version before it was new, or one of Windows Update's.
  const wasThere = from !== null && from !== '';
  return { name, arch, from, to, now, state: state === 'removed' && !wasThere ? 'not-installed' : state };
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
  work.results = withAlready(work, results);
  work.change = changeOf(held(work), whenNothing);
  if (work.results.length > 0) await emit(work.context, [updateEvent(work)]);
}

function updateEvent(work: HostWork): RunEvent {
  return { type: 'update.finished', ...ofHost(work.context), results: work.results };
}

/** What was there at the planned version before this attempt counts as done and is told as `already`. */
function withAlready(work: HostWork, results: readonly UpdateResult[]): readonly UpdateResult[] {
  const told = new Set([...results, ...work.toInstall].map(packageKey));
  const left = work.hostPlan.updates.filter((update) => !told.has(packageKey(update)));
  return [
    ...results,
    ...left.map((update): UpdateResult => {
      const { name, arch, from, to } = update;
      const pair = work.superseded.find(({ planned }) => packageKey(planned) === packageKey(update));
      if (pair !== undefined)
        return { name, arch, from, to, now: pair.successor.to, state: 'already', ...inPlace(pair) };
      if (!isSkipped(work, update)) return { name, arch, from, to, now: to, state: 'already' };
      return { name, arch, from, to, now: installedVersion(work, update), state: 'not-installed' };
    }),
  ];
}

/** Results of successors under the names of the plan. */
function asPlanned(work: HostWork, results: readonly UpdateResult[]): readonly UpdateResult[] {
  const pairs = new Map(work.superseded.map((pair) => [packageKey(pair.successor), pair]));
  return results.map((result) => {
    const pair = pairs.get(packageKey(result));
    if (pair === undefined) return result;
    const { name, arch, from, to } = pair.planned;
    const state = updateStates[result.state].isAsPlanned ? 'superseded' : result.state;
    return { ...inPlace(pair), ...result, name, arch, from, to, state };
  });
}

function inPlace({ successor }: Superseded): { readonly message: string } {
  return { message: `${successor.name} ${successor.to} in its place` };
}

function installedVersion(work: HostWork, update: PlannedUpdate): string | null {
  return findPackage(work.before?.packages ?? [], packageKey(update))?.version ?? null;
}

function isSkipped(work: HostWork, item: { readonly name: string; readonly arch: string }): boolean {
  return work.skipped.includes(packageKey(item));
}

/** The results the host is held to: without what was skipped on purpose. */
function held(work: HostWork): UpdateResult[] {
  return work.results.filter((result) => !isSkipped(work, result));
}

function unfinished(work: HostWork): UpdateResult[] {
  return held(work).filter((result) => !updateStates[result.state].isGood);
}

function changeOf(results: readonly UpdateResult[], whenNothing: Change): Change {
  const changed = results.filter((result) => updateStates[result.state].isChanged);
  const failed = results.filter((result) => !updateStates[result.state].isGood);
  if (failed.length > 0) return changed.length > 0 ? 'partial' : 'none';
  if (changed.length > 0) return 'installed';
  return results.length > 0 ? 'none' : whenNothing;
}

function describe(bad: readonly UpdateResult[]): string {
  const shown = bad.slice(0, 3).map((item) => {
    const version = item.now === null ? 'not installed' : `at ${item.now}`;
    return `${item.name} is ${version} (${item.message ?? item.state})`;
  });
  const more = bad.length > 3 ? ` and ${bad.length - 3} more` : '';
  return `not all updates were installed: ${shown.join(', ')}${more}`;
}
