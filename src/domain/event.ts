import type { Adjustment } from './drift.ts';
import type { ErrorRecord } from './error.ts';
import type { JobId, JobKind } from './job.ts';
import type { LabelSet } from './labels.ts';
import type { PlanAbsence } from './plan.ts';
import type { Outcome, UpdateResult, VerifyFinding } from './outcome.ts';
import type { HostScan } from './scan.ts';

export type RunKind = 'scan' | 'plan' | 'apply' | 'reboot' | 'shutdown' | 'verify' | 'exec' | 'ping' | 'wake';

export type StepName =
  | 'connect'
  | 'preflight'
  | 'before_host'
  | 'refresh'
  | 'repair'
  | 'install'
  | 'restart'
  | 'before_reboot'
  | 'reboot'
  | 'verify'
  | 'after_host'
  | 'exec';

/** Who started it: each field by its source, the most reliable first. */
export interface Operator {
  /** Of the process, by its user id. */
  readonly user: string;
  /** User id of the login, kept by the kernel through sudo and su; absent without a login. */
  readonly loginUid?: number;
  /** Its account on the controller, where there is one. */
  readonly loginName?: string;
  /** SUDO_USER of the environment, which any user can set. */
  readonly sudoUser?: string;
  /** Up to version 0.1: SUDO_USER, or `uid N` of the login. No longer written. */
  readonly loginUser?: string;
  readonly controller: string;
  readonly pid: number;
}

/** Why a host took no part: in the words of the plan. */
export type AbsentHost = Pick<PlanAbsence, 'host' | 'kind' | 'reason'>;

export interface RunStarted {
  readonly type: 'run.started';
  readonly run: string;
  readonly kind: RunKind;
  readonly operator: Operator;
  readonly fettleVersion: string;
  /** Of the list of scripts that `fettle version` prints: what hosts of this run may be sent. */
  readonly scriptsSha256?: string;
  /** Command line without secret values. */
  readonly argv: readonly string[];
  /** Hosts that are to be changed or queried. */
  readonly hosts: readonly string[];
  /** What its hosts belong to, as the inventory has it now. */
  readonly labels?: readonly LabelSet[];
  /** Of a rollout: hosts of the plan on which there is nothing to do. */
  readonly idle?: readonly string[];
  /** Of a rollout: hosts that took no part when the plan was made. */
  readonly absent?: readonly AbsentHost[];
  /** Narrowed by `--limit`. */
  readonly limit?: string;
  /** Hex SHA-256 of the plan file, for `apply`; its bytes are a blob of the same hash. */
  readonly planSha256?: string;
  readonly playbook?: string;
  readonly ticket?: string;
  readonly reason?: string;
  readonly seed?: number;
}

/** Where it belongs: which host of which run, and the attempt of that host. */
interface OfHost {
  readonly run: string;
  readonly host: string;
  readonly hostId: string;
}

export function isSameProcess(one: Operator, other: Operator): boolean {
  return one.pid === other.pid && one.controller === other.controller;
}

/** Everything that is recorded. Event types are versioned by name; a changed meaning gets a new name. */
export type RunEvent =
  | RunStarted
  | {
      readonly type: 'run.resumed';
      readonly run: string;
      readonly operator: Operator;
      readonly argv: readonly string[];
      readonly idle?: readonly string[];
      readonly absent?: readonly AbsentHost[];
    }
  | {
      readonly type: 'run.stopping';
      readonly run: string;
      readonly cause: 'budget' | 'operator' | 'signal' | 'ledger' | 'internal';
      readonly message: string;
    }
  | { readonly type: 'run.detached'; readonly run: string; readonly hosts: readonly string[]; readonly message: string }
  | {
      readonly type: 'run.finished';
      readonly run: string;
      readonly exitCode: number;
      readonly exitName: string;
      readonly reasons: readonly string[];
      readonly counts: Readonly<Record<string, number>>;
    }
  | {
      readonly type: 'wave.started';
      readonly run: string;
      readonly wave: number;
      readonly name: string;
      readonly hosts: readonly string[];
    }
  | { readonly type: 'wave.finished'; readonly run: string; readonly wave: number; readonly name: string }
  | ({ readonly type: 'host.started'; readonly attempt: number; readonly wave?: number } & OfHost)
  | ({ readonly type: 'host.scanned'; readonly scan: HostScan; readonly purpose: 'scan' | 'before' | 'after' } & OfHost)
  | ({
      readonly type: 'step.started';
      readonly attempt: number;
      readonly step: StepName;
      readonly job?: JobId;
      readonly jobKind?: JobKind;
      readonly bootIdBefore?: string;
      readonly name?: string;
      /** Of an install: how drift changed what it was sent. */
      readonly adjustment?: Adjustment;
    } & OfHost)
  | ({
      readonly type: 'step.finished';
      readonly attempt: number;
      readonly step: StepName;
      readonly job?: JobId;
      readonly ok: boolean;
      readonly exitCode?: number;
      readonly message?: string;
      readonly error?: ErrorRecord;
      readonly outputSha256?: string;
      readonly name?: string;
    } & OfHost)
  | ({ readonly type: 'update.finished'; readonly attempt: number; readonly results: readonly UpdateResult[] } & OfHost)
  | ({
      readonly type: 'host.rebooted';
      readonly bootIdBefore: string;
      readonly bootIdAfter: string;
      readonly reasons: readonly string[];
      readonly downMs: number;
    } & OfHost)
  | ({ readonly type: 'host.verified'; readonly findings: readonly VerifyFinding[] } & OfHost)
  | ({ readonly type: 'host.finished'; readonly attempt: number; readonly outcome: Outcome } & OfHost)
  | ({ readonly type: 'host.abandoned'; readonly operator: Operator; readonly reason: string } & OfHost)
  | {
      readonly type: 'plan.created';
      readonly run: string;
      readonly plan: string;
      readonly sha256: string;
      readonly hosts: number;
      readonly updates: number;
      readonly expiresMs: number;
    }
  | {
      readonly type: 'note';
      readonly run?: string;
      readonly host?: string;
      readonly level: 'info' | 'warn';
      readonly message: string;
    };

export type RunEventType = RunEvent['type'];

/** What is shown but never recorded. */
export type LiveEvent =
  | {
      readonly type: 'live.output';
      readonly host: string;
      readonly stream: 'stdout' | 'stderr' | 'log';
      readonly text: string;
    }
  | { readonly type: 'live.note'; readonly host: string; readonly note: string }
  | { readonly type: 'live.budget'; readonly spent: number; readonly allowed: number };

/** Receives events in order. The recorder, the reporters and tests are sinks; a sink never throws. */
export interface EventSink {
  event(event: RunEvent | LiveEvent): void;
  /** Resolves once the reader has taken what was written; waiting for it keeps a slow reader from filling memory. */
  drained?(): Promise<void>;
}
