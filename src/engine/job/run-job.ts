import { asFettleError, toErrorRecord } from '../../domain/error.ts';
import type { RunEvent } from '../../domain/event.ts';
import type { JobId } from '../../domain/job.ts';
import { emit, emitStart, ofHost, show } from '../context.ts';
import type { HostContext } from '../context.ts';
import { followToEnd } from './follow-job.ts';
import { JobLog } from './job-log.ts';
import { jobOf } from './job-order.ts';
import type { JobEnd, JobOrder, NamedOrder } from './job-order.ts';
import { lostDuring, startJob } from './start-job.ts';

/** Many jobs end so soon after their start that one answer has both. */
const firstWaitSec = 2;

export interface StepConclusion {
  readonly ok: boolean;
  readonly message?: string;
  /** Committed together with the end of the step. */
  readonly events?: readonly RunEvent[];
}

/**
 * Runs one job to its end: the step and the job's id are committed, then it is started (or attached to), followed by
 * byte offset through lost connections, its log and result committed with what `conclude` makes of them, and only then
 * removed from the host, here or when the run is done with the host. Ledger errors are thrown; everything else is an end.
 */
export async function runJob(
  context: HostContext,
  order: JobOrder,
  conclude: (end: JobEnd) => StepConclusion = concludeByExit,
): Promise<JobEnd> {
  const job = order.open?.job ?? jobOf(context, order);
  const { step, name, adjustment } = order;
  const named = { step, ...(name === undefined ? {} : { name }) };
  if (order.open === undefined) {
    const adjusted = adjustment === undefined ? {} : { adjustment };
    const started = {
      type: 'step.started',
      ...ofHost(context),
      ...named,
      job,
      jobKind: order.kind,
      ...adjusted,
    } as const;
    await emitStart(context, started);
  }
  const log = new JobLog(context);
  const end = await driveJob(context, { ...order, job }, log);
  if (end.kind === 'lost' || end.kind === 'detached') return end;
  const outputSha256 = log.isEmpty ? undefined : await context.record.putBlob(log.bytes());
  const whole = end.kind === 'done' && outputSha256 !== undefined ? { ...end, outputSha256 } : end;
  const { ok, message, events } = conclude(whole);
  await emit(context, [
    ...(events ?? []),
    {
      type: 'step.finished',
      ...ofHost(context),
      ...named,
      job,
      ok,
      ...(end.kind === 'done' ? { exitCode: end.result.exitCode } : {}),
      ...(message === undefined ? {} : { message }),
      ...(end.kind === 'refused' ? { error: toErrorRecord(end.error) } : {}),
      ...(outputSha256 === undefined ? {} : { outputSha256 }),
    },
  ]);
  if (end.kind !== 'refused' && context.collectsAtEnd !== true) await collectQuietly(context, job);
  return whole;
}

/** What stays on the host when this fails is collected at the next contact: the result is in the ledger already. */
export async function collectQuietly(context: HostContext, job: JobId): Promise<void> {
  try {
    await context.remote.collectJob(job, context.detach);
  } catch (error) {
    const { message } = asFettleError(error);
    show(context, {
      type: 'live.note',
      host: context.host.name,
      note: `job ${job} could not be collected yet: ${message}`,
    });
  }
}

export function concludeByExit(end: JobEnd): StepConclusion {
  switch (end.kind) {
    case 'done': {
      const { exitCode, verdict, message } = end.result;
      const words = message ?? (verdict === 'ok' ? undefined : verdict);
      return { ok: exitCode === 0 && verdict === 'ok', ...(words === undefined ? {} : { message: words }) };
    }
    case 'collected':
      return { ok: true, message: 'the job had already ended and was collected' };
    case 'crashed':
      return { ok: false, message: 'the job ended without a result' };
    case 'interrupted':
      return { ok: false, message: 'the host rebooted during the job' };
    case 'refused':
    case 'lost':
      return { ok: false, message: end.error.message };
    case 'detached':
      return { ok: false, message: 'detached' };
  }
}

async function driveJob(context: HostContext, order: NamedOrder, log: JobLog): Promise<JobEnd> {
  const started = await startJob(context, { ...order, waitSec: firstWaitSec });
  if ('kind' in started) return started;
  try {
    return await followToEnd(context, order, { log, started });
  } catch (error) {
    if (context.detach.aborted) return { kind: 'detached' };
    return { kind: 'lost', error: lostDuring(context, order, asFettleError(error)) };
  }
}
