import type { BootTime } from '../base/clock.ts';
import type { Adjustment } from './drift.ts';
import type { Operator, RunEvent, RunKind, StepName } from './event.ts';
import type { JobId, JobKind } from './job.ts';
import type { Outcome, UpdateResult } from './outcome.ts';
import type { HostScan } from './scan.ts';

/**
 * The port through which the engine writes and re-reads what happened; `ledger/` implements it. Every rejection is a
 * `FettleError('ledger', …)`.
 */
export interface RunRecord {
  /**
   * Appends in order and resolves only after the commit. Awaited before a side effect, this is what makes promise 3
   * true.
   */
  append(events: readonly RunEvent[]): Promise<void>;
  /**
   * The same for the start of what changes a host: in one transaction with the check that this run still holds its lease.
   * Rejects with `leaseLost` where it is not; nothing is appended then.
   */
  appendHeld(events: readonly RunEvent[], own: LeaseHolding): Promise<void>;
  /** Stores bytes under their SHA-256 (hex), compressed; same bytes, same name. */
  putBlob(bytes: Uint8Array): Promise<string>;
  /**
   * Takes the lease on each host for this run, all or those that are free; the others come back with their holder.
   * A lease whose expiry has passed, or that this process or one that is `gone` held for
   * this run, is taken.
   */
  acquireLeases(request: LeaseRequest): Promise<LeaseAnswer>;
  /** Extends these leases to `expiresMs`; those that this run no longer holds come back with their holder. */
  renewLeases(request: LeaseRenewal): Promise<readonly LostLease[]>;
  /** Those that this run no longer holds are left as they are. */
  releaseLeases(leases: readonly LeaseHolding[]): Promise<void>;
  /** The state of each host of a run, for `resume`. */
  runState(run: string): Promise<RunState | undefined>;
  /** What a run recorded of one host last; `resume` verifies against it. */
  recordedFacts(run: string, hostId: string): Promise<RecordedFacts>;
  /** Package managers that the latest scan found on a host, in whatever run; undefined where none is recorded. */
  knownManagers(hostId: string): Promise<readonly string[] | undefined>;
  /** True once any process has requested that the run stops (`run stop`). */
  stopRequested(run: string): Promise<boolean>;
}

/** Requests of other processes to a run; each is done once the promise resolves. */
export interface RunControl {
  /** From now on `stopRequested` answers true to every process that asks. */
  requestStop(run: string): Promise<void>;
  /** A run that is resumed starts without the request. */
  withdrawStop(run: string): Promise<void>;
  /** The process that holds the host for this run loses it. */
  abandonLease(run: string, hostId: string): Promise<void>;
}

export interface LeaseRequest {
  /** Processes of this very run that are gone: what they held is taken over. */
  readonly gone?: readonly Operator[];
  readonly run: string;
  readonly holder: Operator;
  readonly hostIds: readonly string[];
  readonly nowMs: number;
  readonly expiresMs: number;
  /** The clock of the machine at `nowMs`. */
  readonly boot?: BootTime;
}

/** A lease as its holder has it: the number was given when it was taken. */
export interface LeaseHolding {
  readonly run: string;
  readonly hostId: string;
  readonly fence: number;
}

export interface LeaseRenewal extends Pick<LeaseRequest, 'nowMs' | 'expiresMs' | 'boot'> {
  readonly leases: readonly LeaseHolding[];
}

/** A lease that this run no longer holds. */
export interface LostLease {
  readonly hostId: string;
  /** The run that has it now, or had it last. */
  readonly run: string;
  /** Absent where it was released. */
  readonly holder?: Operator;
}

export interface LeaseHolder {
  readonly holder: Operator;
  readonly expiresMs: number;
}

export interface LeaseAnswer {
  readonly taken: readonly { readonly hostId: string; readonly fence: number }[];
  readonly refused: readonly {
    readonly hostId: string;
    readonly run: string;
    readonly holder: Operator;
    readonly expiresMs: number;
  }[];
}

export interface RecordedFacts {
  /** The latest scan of purpose `before`: what ran and was installed before anything was changed. */
  readonly before?: HostScan;
  /** The latest `update.finished`. */
  readonly results?: readonly UpdateResult[];
  /** How drift changed the latest install; absent: it was the plan's own. */
  readonly adjustment?: Adjustment;
}

export interface RunState {
  readonly run: string;
  readonly kind: RunKind;
  readonly planSha256?: string;
  readonly startedMs: number;
  readonly finished?: { readonly exitCode: number; readonly exitName: string };
  /** Begun and not ended. */
  readonly openWave?: number;
  readonly hosts: readonly HostRunState[];
}

/** In place of the package managers of an install that was recorded without a name, as releases up to 0.1 did. */
export const everyManager = '*';

export interface OpenStep {
  readonly step: StepName;
  /** The package manager or the hook, where a step has several parts. */
  readonly name?: string;
  readonly attempt: number;
  readonly job?: JobId;
  readonly jobKind?: JobKind;
  readonly bootIdBefore?: string;
}

export interface HostRunState {
  readonly host: string;
  readonly hostId: string;
  /** 0 = never started. */
  readonly attempt: number;
  /** Absent while the host is in flight or was never started. */
  readonly outcome?: Outcome;
  /** Steps that succeeded in the latest attempt. */
  readonly doneSteps: readonly StepName[];
  /** Package managers whose install ended in the latest attempt, successfully or not; absent: see `doneSteps`. */
  readonly endedInstalls?: readonly string[];
  /** Started and not finished, in any attempt: the controller died or detached during it. */
  readonly openSteps: readonly OpenStep[];
  /** Hooks before the host were started in this run, and those after it have not run since, in any attempt. */
  readonly owesAfterHooks?: boolean;
  /** Reboots of this run so far. */
  readonly reboots: number;
}
