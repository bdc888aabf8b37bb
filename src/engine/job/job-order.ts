import { jobId } from '../../domain/job.ts';
import type { JobId, JobKind, JobResult } from '../../domain/job.ts';
import type { Adjustment } from '../../domain/drift.ts';
import type { FettleError } from '../../domain/error.ts';
import type { StepName } from '../../domain/event.ts';
import type { OpenStep } from '../../domain/record.ts';
import type { ScriptInput } from '../../remote/script.ts';
import { hostDigest } from '../context.ts';
import type { HostContext } from '../context.ts';

export interface JobOrder {
  readonly step: StepName;
  /** Distinguishes several jobs of one step in their ids, e.g. `before-host-2`; absent: the name of the step. */
  readonly part?: string;
  /** Shown with the step: the hook's name. */
  readonly name?: string;
  readonly kind: JobKind;
  /** The package manager that does the work; absent where none does. */
  readonly manager?: string;
  readonly request: ScriptInput;
  /** After this the job is reported as still running; it is never killed. */
  readonly timeoutMs: number;
  /** How drift changed what is sent; recorded with the start. */
  readonly adjustment?: Adjustment;
  /** The step as an earlier process left it: its job is attached to, not started beside. */
  readonly open?: OpenStep;
}

/** How following a job ended. `lost` and `detached` leave the step open: `run resume` attaches to it. */
export type JobEnd =
  | { readonly kind: 'done'; readonly result: JobResult; readonly outputSha256?: string }
  /** Collected before: its result is in some ledger, the truth is on the host. */
  | { readonly kind: 'collected' }
  /** The process is gone and left no result. */
  | { readonly kind: 'crashed' }
  /** The host rebooted under it. */
  | { readonly kind: 'interrupted' }
  /** Nothing was started. */
  | { readonly kind: 'refused'; readonly error: FettleError }
  /** Contact is lost, or the job outlasted its limit (`isOvertime`): either way it may still be at work. */
  | { readonly kind: 'lost'; readonly error: FettleError; readonly isOvertime?: true }
  | { readonly kind: 'detached' };

export interface NamedOrder extends JobOrder {
  readonly job: JobId;
  /** How long the answer to the start waits for the end. */
  readonly waitSec?: number;
}

/** A job of one package manager. The name of the package manager is in the step and in the job id, so that each is unique. */
export function managerJob(
  order: Omit<JobOrder, 'step' | 'part' | 'name' | 'kind'> & {
    readonly step: 'install' | 'refresh' | 'repair';
    readonly manager: string;
  },
): JobOrder {
  return { ...order, kind: order.step, name: order.manager, part: `${order.step}-${order.manager}` };
}

export function jobOf(context: HostContext, order: Pick<JobOrder, 'step' | 'part'>): JobId {
  return jobId(context.run, hostDigest(context.host.id), order.part ?? order.step, context.attempt);
}
