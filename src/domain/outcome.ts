import type { ErrorRecord } from './error.ts';

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
  /** Let go by a detach or a dead controller; `run resume` goes on. */
  | 'detached';

export type Change = 'none' | 'partial' | 'installed' | 'unknown';

/** How one host ended in one run. Always a value, never an exception. */
export interface Outcome {
  readonly verdict: Verdict;
  readonly change: Change;
  /** One sentence: what is the case. */
  readonly reason: string;
  /** What the person should do next. */
  readonly hint?: string;
  readonly error?: ErrorRecord;
  /** True when the playbook itself asked for the state (reboot: never): spends no budget, never counts as verified. */
  readonly followsFromMode?: boolean;
  /** Hooks after the host could not be run although those before it had been: the next attempt owes them. */
  readonly owesHooks?: true;
}

/** The hooks after the host were run, or none were owed; the next attempt need not see to them. */
export function hasPaidHooks({ verdict, owesHooks }: Outcome): boolean {
  return verdict !== 'lost' && verdict !== 'detached' && owesHooks !== true;
}

/** `downloaded`: it waits on the host, and more was not asked for. */
export type UpdateState =
  'downloaded' | 'installed' | 'already' | 'superseded' | 'failed' | 'not-installed' | 'broken' | 'removed';

export interface UpdateResult {
  readonly name: string;
  readonly arch: string;
  readonly from: string | null;
  /** What was planned. */
  readonly to: string;
  /** What the package database says now; null = not installed. */
  readonly now: string | null;
  readonly state: UpdateState;
  /** Why it is so, where the host said. */
  readonly message?: string;
}

export interface VerifyFinding {
  readonly check:
    | 'plan'
    /** It went in, and was gone again after the reboot. */
    | 'rolled-back'
    | 'unplanned'
    /** On offer after the work and not before it: what went in made it possible. */
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
