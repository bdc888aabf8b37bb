import { isOurShortage, isUnreached } from './error.ts';
import type { ErrorRecord, FettleError } from './error.ts';
import type { ExitName } from './exit.ts';
import type { BudgetClass } from './playbook.ts';
import type { PackageId } from './update.ts';

export type Verdict =
  | 'verified'
  | 'unhealthy'
  | 'pending-reboot'
  | 'pending-restart'
  | 'failed'
  | 'unreachable'
  | 'lost'
  | 'drifted'
  | 'skipped'
  /** Detached from, or its controller died; `run resume` continues. */
  | 'detached';

export type Change = 'none' | 'partial' | 'installed' | 'unknown';

/** How one host ended in one run. Always a value, never an exception. */
export interface Outcome {
  readonly verdict: Verdict;
  readonly change: Change;
  /** The reason, in one sentence. */
  readonly reason: string;
  /** What the operator should do next. */
  readonly hint?: string;
  readonly error?: ErrorRecord;
  /** True when the playbook itself asked for the state (reboot: never): spends no budget, never counts as verified. */
  readonly followsFromMode?: boolean;
  /** Hooks after the host could not be run although those before it had been: the next attempt owes them. */
  readonly owesHooks?: true;
}

interface VerdictTraits {
  /** `bad` needs an operator, `open` nobody yet; `unfinished` is neither an end nor good. */
  readonly weight: 'good' | 'open' | 'unfinished' | 'bad';
  /** What the host spends of a failure budget; undefined: nothing. */
  readonly budget: BudgetClass | undefined;
  /** The exit of a run with such a host; see `exitOfOutcome` for what its error or mode makes of it. */
  readonly exit: ExitName;
  /** Whether the host was contacted: `unasked` hosts were left out, or their turn never came. */
  readonly contact: 'reached' | 'unreached' | 'unasked';
  /** A job of fettle may still be running on the host: lease, debts and attempt stay open. */
  readonly mayBeAtWork: boolean;
}

const over = { mayBeAtWork: false } as const;

/**
 * What a verdict means, for budget, exit, resume, reports and queries. A `lost` host counts as failed, not as
 * unreachable: something was begun on it and its end is unknown. `skipped` was left alone on purpose and
 * `detached` is still in flight: neither is a result of the rollout.
 */
export const verdicts: Readonly<Record<Verdict, VerdictTraits>> = {
  failed: { weight: 'bad', budget: 'failed', exit: 'partial', contact: 'reached', ...over },
  unreachable: { weight: 'bad', budget: 'unreachable', exit: 'unreachable', contact: 'unreached', ...over },
  lost: { weight: 'bad', budget: 'failed', exit: 'partial', contact: 'unreached', mayBeAtWork: true },
  drifted: { weight: 'bad', budget: 'drifted', exit: 'partial', contact: 'reached', ...over },
  unhealthy: { weight: 'bad', budget: 'unverified', exit: 'unverified', contact: 'reached', ...over },
  detached: { weight: 'unfinished', budget: undefined, exit: 'partial', contact: 'unasked', mayBeAtWork: true },
  'pending-reboot': { weight: 'open', budget: 'unverified', exit: 'unverified', contact: 'reached', ...over },
  'pending-restart': { weight: 'open', budget: 'unverified', exit: 'unverified', contact: 'reached', ...over },
  skipped: { weight: 'open', budget: undefined, exit: 'partial', contact: 'unasked', ...over },
  verified: { weight: 'good', budget: undefined, exit: 'ok', contact: 'reached', ...over },
};

/** Verdicts that need an operator. */
export const badVerdicts: readonly Verdict[] = (Object.keys(verdicts) as Verdict[]).filter(
  (verdict) => verdicts[verdict].weight === 'bad',
);

/** It ended as the playbook requires: downloaded only, or left alone on purpose, is no failure. */
export function isAsAsked({ verdict, followsFromMode, error }: Outcome): boolean {
  return verdict === 'verified' || followsFromMode === true || (verdict === 'skipped' && error === undefined);
}

/**
 * The exit of a run with such a host. A pending reboot is intended only where the mode `isWritten` in the
 * playbook or the inventory; by default it does not count as good.
 */
export function exitOfOutcome({ verdict, followsFromMode, error }: Outcome, isWritten: boolean): ExitName {
  const { exit, budget } = verdicts[verdict];
  if (error?.code === 'lock-held' && budget === undefined) return 'locked';
  if (verdict === 'skipped' && error === undefined) return 'ok';
  return verdict === 'pending-reboot' && followsFromMode === true && isWritten ? 'ok' : exit;
}

/** How a host ends that an error stopped while no job of fettle runs on it. */
export function verdictOfError(error: FettleError): 'skipped' | 'unreachable' | 'failed' {
  // Held by another run, stopped before its turn came, or this machine lacked a resource: not the fault of the host.
  if (error.code === 'lock-held' || error.code === 'cancelled' || isOurShortage(error)) return 'skipped';
  // A host that refuses the elevation has answered.
  return isUnreached(error) && error.code !== 'elevate' ? 'unreachable' : 'failed';
}

/** The hooks after the host were run, or none were owed; the next attempt need not run them. */
export function hasPaidHooks({ verdict, owesHooks }: Outcome): boolean {
  return !verdicts[verdict].mayBeAtWork && owesHooks !== true;
}

/** `downloaded`: it waits on the host, and more was not requested. */
export type UpdateState =
  'downloaded' | 'installed' | 'already' | 'superseded' | 'failed' | 'not-installed' | 'broken' | 'removed';

interface UpdateStateTraits {
  /** Nothing is left to do about it. */
  readonly isGood: boolean;
  /** Its package has the planned version. */
  readonly isAsPlanned: boolean;
  /** The job changed its package. */
  readonly isChanged: boolean;
}

/** What the state of an update after an install means, for verdicts, retries, history and queries. */
export const updateStates: Readonly<Record<UpdateState, UpdateStateTraits>> = {
  downloaded: { isGood: true, isAsPlanned: false, isChanged: false },
  installed: { isGood: true, isAsPlanned: true, isChanged: true },
  already: { isGood: true, isAsPlanned: true, isChanged: false },
  superseded: { isGood: true, isAsPlanned: false, isChanged: true },
  failed: { isGood: false, isAsPlanned: false, isChanged: false },
  'not-installed': { isGood: false, isAsPlanned: false, isChanged: false },
  broken: { isGood: false, isAsPlanned: false, isChanged: true },
  removed: { isGood: false, isAsPlanned: false, isChanged: false },
};

/** States after which nothing is left to do. */
export const goodUpdateStates: readonly UpdateState[] = (Object.keys(updateStates) as UpdateState[]).filter(
  (state) => updateStates[state].isGood,
);

export interface UpdateResult extends PackageId {
  readonly from: string | null;
  /** What was planned. */
  readonly to: string;
  /** The version in the package database now; null = not installed. */
  readonly now: string | null;
  readonly state: UpdateState;
  /** The reason, where the host gave one. */
  readonly message?: string;
}

export interface VerifyFinding {
  readonly check:
    | 'plan'
    /** It was installed, and gone again after the reboot. */
    | 'rolled-back'
    | 'unplanned'
    /** Available after the work and not before it: the installed updates made it possible. */
    | 'newly-offered'
    | 'failed-unit'
    | 'service'
    | 'listener'
    | 'kernel'
    | 'stale-process'
    | 'broken-package'
    | 'conffile';
  readonly level: 'fail' | 'warn';
  readonly message: string;
}
