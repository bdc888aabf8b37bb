import type { FettleError } from '../../domain/error.ts';
import { packageKey } from '../../domain/update.ts';
import type { Superseded } from '../../domain/drift.ts';
import { asFettleError, isUnreached, toErrorRecord } from '../../domain/error.ts';
import { isLeaseLost } from '../../domain/lease.ts';
import type { RunEvent, StepName } from '../../domain/event.ts';
import { verdictOfError, type Change, type Outcome, type UpdateResult, type Verdict } from '../../domain/outcome.ts';
import type { HostPlan, Plan, PlannedUpdate } from '../../domain/plan.ts';
import { everyManager } from '../../domain/record.ts';
import type { HostRunState, OpenStep, RecordedFacts } from '../../domain/record.ts';
import type { HostScan } from '../../domain/scan.ts';
import { emit, ofHost } from '../context.ts';
import type { HostContext, HostRunContext } from '../context.ts';
import { passesAfterChange, retryThroughOutages } from '../job/retry.ts';
import { lostLeaseOf } from '../run-leases.ts';

export interface HostTask {
  readonly context: HostRunContext;
  readonly plan: Plan;
  readonly hostPlan: HostPlan;
  /** Where an earlier process left this attempt. */
  readonly state?: HostRunState;
  /** What an earlier process recorded of this host in this run. */
  readonly recorded?: RecordedFacts;
  /** The package lists were fetched in this run already. */
  readonly isRefreshed?: boolean;
  /** What the check before the first wave found, in this process. */
  readonly checked?: CheckedHost;
}

/** What is known once a host was checked and found fit. */
export interface CheckedHost extends Judged {
  readonly before: HostScan;
  readonly isController: boolean;
  /** Of the host as it was judged. */
  readonly fingerprint: string;
}

/** What drift leaves to install. */
interface Judged {
  /** What is left to install after drift was judged, successors of planned versions in their place. */
  readonly toInstall: readonly PlannedUpdate[];
  /** Keys of updates left out by `on_drift: skip-package`. */
  readonly skipped: readonly string[];
  /** What goes in instead of planned updates, by `on_drift: supersede`. */
  readonly superseded: readonly Superseded[];
  /** Fingerprint of the last simulation of each package manager, in its name; undefined where the host has none. */
  readonly fingerprints: ReadonlyMap<string, string | undefined>;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What is known of one host while it is worked on. */
export interface HostWork extends HostTask, Mutable<Judged> {
  isController: boolean;
  /** What ran and was installed before anything was changed. */
  before: HostScan | undefined;
  /** The latest scan, as long as nothing was changed since. */
  current: HostScan | undefined;
  results: readonly UpdateResult[];
  change: Change;
  /** An install, repair, restart or reboot was begun: what is lost from now on is `lost`, not `unreachable`. */
  hasBegun: boolean;
  /** An earlier process started the install of this attempt and did not record its end. */
  isInstallOpen: boolean;
  /** Hooks before the host were entered, so those after it are owed. */
  owesAfterHooks: boolean;
  reboots: number;
  /** Not every update went in; the others still get their restart, and then the host ends so. */
  failure: Outcome | undefined;
  /** Who is logged on, in words, where the host was left alone for that. */
  inUse: string | undefined;
  /** Switched off by this run: nothing more is asked of it. */
  isOff: boolean;
}

/** A stage does its part and answers undefined to go on, or the outcome that ends the host. */
export type Stage = (work: HostWork) => Promise<Outcome | undefined>;

export function beginWork(task: HostTask): HostWork {
  const work: HostWork = {
    ...task,
    isController: false,
    before: undefined,
    current: undefined,
    toInstall: task.hostPlan.updates,
    skipped: [],
    superseded: [],
    fingerprints: new Map(),
    results: [],
    change: 'none',
    hasBegun: false,
    isInstallOpen: false,
    owesAfterHooks: false,
    reboots: task.state?.reboots ?? 0,
    inUse: undefined,
    failure: undefined,
    isOff: false,
  };
  if (isDone(work, 'install')) work.change = 'installed';
  work.hasBegun = isPastInstall(work);
  if (work.hasBegun) adjustAsRecorded(work);
  work.isInstallOpen = openStep(work, 'install') !== undefined;
  work.owesAfterHooks =
    task.state?.owesAfterHooks === true ||
    work.hasBegun ||
    openStep(work, 'before_host') !== undefined ||
    isDone(work, 'before_host');
  return work;
}

/** The drift that an earlier process judged holds for what it installed. */
export function adjustAsRecorded(work: HostWork): void {
  const { superseded = [], skipped = [] } = work.recorded?.adjustment ?? {};
  work.superseded = superseded;
  work.skipped = skipped;
  const updates = wantedPlan(work).updates;
  work.toInstall = updates.filter((update) => !skipped.includes(packageKey(update)));
}

/** The host's plan with successors in the place of what they supersede. */
export function wantedPlan({ hostPlan, superseded }: HostWork): HostPlan {
  const successors = new Map(superseded.map(({ planned, successor }) => [packageKey(planned), successor]));
  return { ...hostPlan, updates: hostPlan.updates.map((update) => successors.get(packageKey(update)) ?? update) };
}

export function isDone(work: HostTask, step: StepName): boolean {
  return work.state?.attempt === work.context.attempt && work.state.doneSteps.includes(step);
}

/** `name`: the package manager whose part it is; absent: any. What releases up to 0.1 recorded has no name. */
export function openStep(work: HostTask, step: StepName, name?: string): OpenStep | undefined {
  return work.state?.openSteps.findLast(
    (open) =>
      open.step === step &&
      open.attempt === work.context.attempt &&
      (name === undefined || open.name === undefined || open.name === name),
  );
}

/** An earlier process saw the end of this package manager's install, in this attempt. */
export function isInstallEnded(work: HostTask, manager: string): boolean {
  const { state, context } = work;
  if (state?.endedInstalls === undefined) return isDone(work, 'install');
  return (
    state.attempt === context.attempt && [manager, everyManager].some((name) => state.endedInstalls?.includes(name))
  );
}

/** True once the install was begun in this attempt: by this process or an earlier one. */
export function isPastInstall(work: HostTask): boolean {
  const later: readonly StepName[] = ['install', 'restart', 'reboot', 'verify'];
  return later.some((step) => isDone(work, step) || openStep(work, step) !== undefined);
}

export interface EndOptions {
  readonly hint?: string;
  readonly error?: FettleError;
  readonly followsFromMode?: boolean;
}

export function endWith(work: HostWork, verdict: Verdict, reason: string, options: EndOptions = {}): Outcome {
  const { hint, error, followsFromMode } = options;
  const next = hint ?? error?.hint;
  return {
    verdict,
    change: work.change,
    reason,
    ...(next === undefined ? {} : { hint: next }),
    ...(error === undefined ? {} : { error: toErrorRecord(error) }),
    ...(followsFromMode === undefined ? {} : { followsFromMode }),
  };
}

/** `unreachable` only when nothing is at work there; otherwise the same error makes the host `lost`. */
export function outcomeOfError(work: HostWork, thrown: unknown, during: string): Outcome {
  const error = asFettleError(thrown);
  const reason = `${during}: ${error.message}`;
  if (error.code === 'ledger' || work.context.detach.aborted || isLeaseLost(error)) return detachedOutcome(work, error);
  if (error.code === 'lock-held') return endWith(work, 'skipped', error.message, { error });
  if (work.hasBegun && isUnreached(error)) return endLost(work, error, during);
  return endWith(work, work.hasBegun ? 'failed' : verdictOfError(error), reason, { error });
}

/**
 * Something of ours may still be at work on the host: a change, or a job that contact was lost with or that outlasted
 * its limit. The lease stays and `run resume` goes on in the same attempt.
 */
export function endLost(work: HostWork, error: FettleError, during: string): Outcome {
  const hint = error.hint ?? `when the host answers again: fettle run resume ${work.context.run}`;
  const outcome = endWith(work, 'lost', `${during}: ${error.message}`, { error, hint });
  return work.hasBegun && work.change !== 'installed' ? { ...outcome, change: 'unknown' } : outcome;
}

/** In flight still: nothing more is recorded, so that `run resume` finds the host where it was left. */
export function detachedOutcome(work: HostWork, error?: FettleError): Outcome {
  const change = work.change === 'none' && work.hasBegun ? 'unknown' : work.change;
  const lost = lostLeaseOf(work.context, error);
  if (lost !== undefined) return { ...endWith(work, 'detached', lost.message, { error: lost }), change };
  const reason = error?.code === 'ledger' ? 'detached: the ledger cannot be written' : 'detached before it finished';
  const hint = `fettle run resume ${work.context.run}`;
  return { ...endWith(work, 'detached', reason, { hint, ...(error === undefined ? {} : { error }) }), change };
}

/** How a step that is not a job ended: what is committed together with its end. */
export interface StepEnd {
  readonly ok: boolean;
  readonly message?: string;
  readonly events?: readonly RunEvent[];
}

/** Wraps a step that is not a job: its start and its end are committed, a failure with its error. */
export async function inStep<T>(
  context: HostContext,
  step: StepName,
  action: () => Promise<T>,
  conclude: (value: T) => StepEnd = () => ({ ok: true }),
): Promise<T> {
  await emit(context, [{ type: 'step.started', ...ofHost(context), step }]);
  let value: T;
  try {
    value = await action();
  } catch (error) {
    if (!context.detach.aborted && asFettleError(error).code !== 'ledger') {
      const record = toErrorRecord(error);
      const { message } = record;
      await emit(context, [{ type: 'step.finished', ...ofHost(context), step, ok: false, message, error: record }]);
    }
    throw error;
  }
  const { events, ...end } = conclude(value);
  await emit(context, [...(events ?? []), { type: 'step.finished', ...ofHost(context), step, ...end }]);
  return value;
}

/** Scans the host and records the scan; before a change without a search for updates, which the plan has. After a change a connection that is away for a while is waited for. */
export async function scanNow(work: HostWork, purpose: 'before' | 'after'): Promise<HostScan> {
  const { context, plan } = work;
  const scanOnce = (): Promise<HostScan> =>
    context.remote.scan({
      maxAgeMs: plan.install.maxAgeMs,
      isStateOnly: purpose === 'before',
      signal: context.detach,
    });
  const patience = { limitMs: context.limits.outageMs, isPassing: passesAfterChange };
  const scan = purpose === 'before' ? await scanOnce() : await retryThroughOutages(context, patience, scanOnce);
  const { run, host, hostId } = ofHost(context);
  await emit(context, [{ type: 'host.scanned', run, host, hostId, scan, purpose }]);
  work.current = scan;
  work.isController = await context.own.recognises(context.remote, scan.facts, context.detach);
  return scan;
}
