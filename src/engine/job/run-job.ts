import type { Adjustment } from '../../domain/drift.ts';
import { asFettleError, FettleError, isUnreached, toErrorRecord } from '../../domain/error.ts';
import type { RunEvent, StepName } from '../../domain/event.ts';
import { jobId } from '../../domain/job.ts';
import type { JobId, JobKind, JobResult, JobStatus } from '../../domain/job.ts';
import type { OpenStep } from '../../domain/record.ts';
import type { ScriptInput } from '../../remote/script.ts';
import { emit, emitStart, hostDigest, ofHost, show } from '../context.ts';
import type { HostContext } from '../context.ts';
import type { JobNews } from '../../remote/jobs.ts';
import { JobLog } from './job-log.ts';
import { passesWhileAtWork, retryThroughOutages } from './retry.ts';

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

export interface StepConclusion {
  readonly ok: boolean;
  readonly message?: string;
  /** Committed together with the end of the step. */
  readonly events?: readonly RunEvent[];
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

const followBytes = 256 * 1024;
/** A host that answers at once with nothing is not asked again sooner. */
const idlePauseMs = 500;
/** An outage of this length is waited for even where the time of the job runs out under it. */
const shortOutageMs = 60_000;

export function jobOf(context: HostContext, order: Pick<JobOrder, 'step' | 'part'>): JobId {
  return jobId(context.run, hostDigest(context.host.id), order.part ?? order.step, context.attempt);
}

/**
 * Runs one job to its end: the step and the job's id are committed, then it is started (or attached to), followed by
 * byte offset through lost connections, its log and result committed with what `conclude` makes of them, and only then
 * removed from the host. Ledger errors are thrown; everything else is an end.
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
  if (end.kind !== 'refused') await collectQuietly(context, job);
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
      const said = message ?? (verdict === 'ok' ? undefined : verdict);
      return { ok: exitCode === 0 && verdict === 'ok', ...(said === undefined ? {} : { message: said }) };
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

interface NamedOrder extends JobOrder {
  readonly job: JobId;
}

const isUnbegun = ({ phase }: JobStatus): boolean => phase === 'claimed' || phase === 'absent';

async function driveJob(context: HostContext, order: NamedOrder, log: JobLog): Promise<JobEnd> {
  const started = await startJob(context, order);
  if ('kind' in started) return started;
  try {
    return await followToEnd(context, order, { log, hasBegun: !isUnbegun(started) });
  } catch (error) {
    if (context.detach.aborted) return { kind: 'detached' };
    return { kind: 'lost', error: lostDuring(context, order, asFettleError(error)) };
  }
}

/**
 * Starts the job, or attaches where it is there already. An answer of the host that it refuses means that nothing
 * runs; a connection lost on the way means that nobody knows, unless it never came to be.
 */
export async function startJob(context: HostContext, order: NamedOrder): Promise<JobStatus | JobEnd> {
  let mayRun = order.open !== undefined;
  const { job, kind, manager, request } = order;
  const start = {
    job,
    kind,
    ...(manager === undefined ? {} : { manager }),
    request,
    run: context.run,
    controller: context.operator.controller,
    fence: context.fence,
  };
  try {
    return await retryThroughOutages(context, { limitMs: context.limits.outageMs }, async () => {
      try {
        return await context.remote.startJob(start, context.detach);
      } catch (error) {
        if (!leavesNothing(error)) mayRun = true;
        throw error;
      }
    });
  } catch (error) {
    if (context.detach.aborted) return { kind: 'detached' };
    return afterFailedStart(context, order, { error: asFettleError(error), mayRun });
  }
}

/** The host's own refusal is an answer; where the answer itself failed the host is asked what it has. */
async function afterFailedStart(
  context: HostContext,
  order: NamedOrder,
  { error, mayRun }: { readonly error: FettleError; readonly mayRun: boolean },
): Promise<JobStatus | JobEnd> {
  if (!mayRun || error.code === 'lock-held' || error.code === 'disk') return { kind: 'refused', error };
  const lost = { kind: 'lost', error: lostDuring(context, order, error) } as const;
  if (isUnreached(error)) return lost;
  try {
    const { limits, remote, detach: signal } = context;
    const patience = { limitMs: limits.outageMs, isPassing: passesWhileAtWork(context) };
    const options = { waitSec: 0, maxBytes: 1, signal };
    const { status } = await retryThroughOutages(context, patience, () => remote.followJob(order.job, 0, options));
    return status.phase === 'absent' ? { kind: 'refused', error } : status;
  } catch {
    return context.detach.aborted ? { kind: 'detached' } : lost;
  }
}

function leavesNothing(error: unknown): boolean {
  const nothing = ['connect', 'auth', 'host-key', 'elevate', 'lock-held', 'disk'];
  return error instanceof FettleError && nothing.includes(error.code);
}

function lostDuring(context: HostContext, order: NamedOrder, cause: FettleError): FettleError {
  return new FettleError('lost', `${context.host.name}: lost during ${order.step}: ${cause.message}`, {
    cause,
    hint: `the job continues on the host; \`fettle run resume ${context.run}\` reads its result`,
    details: { job: order.job, step: order.step },
  });
}

async function followToEnd(
  context: HostContext,
  order: NamedOrder,
  { log, ...start }: { readonly log: JobLog; readonly hasBegun: boolean },
): Promise<JobEnd> {
  const { clock, detach, limits, remote } = context;
  const deadlineMs = clock.elapsedMs() + order.timeoutMs;
  const isPassing = passesWhileAtWork(context);
  let { hasBegun } = start;
  let offset = 0;
  for (;;) {
    const askedMs = clock.elapsedMs();
    const leftMs = deadlineMs - askedMs;
    if (leftMs < 0) return { kind: 'lost', error: stillRunning(context, order), isOvertime: true };
    const waitSec = Math.min(limits.followWaitSec, Math.ceil(leftMs / 1_000));
    const options = { waitSec, maxBytes: followBytes, signal: detach };
    // An outage prolongs the limit of the job by a little at most.
    const patience = { limitMs: Math.min(limits.outageMs, Math.max(leftMs, shortOutageMs)), isPassing };
    const news = await retryThroughOutages(context, patience, () => remote.followJob(order.job, offset, options));
    log.add(news);
    const isDrained = news.log.length === 0 || news.offset >= news.status.logBytes;
    offset = news.offset;
    // A power cut may have taken away a claim that was not on the disk yet.
    const isToStart = news.status.phase === 'claimed' || (news.status.phase === 'absent' && !hasBegun);
    const end = isDrained && !isToStart ? endOf(news) : undefined;
    if (end !== undefined) return end;
    if (isToStart) {
      const again = await startJob(context, { ...order, open: { step: order.step, attempt: context.attempt } });
      if ('kind' in again) return again;
      hasBegun = !isUnbegun(again);
    } else hasBegun = true;
    if (news.log.length === 0 && clock.elapsedMs() - askedMs < idlePauseMs) await clock.sleep(idlePauseMs, detach);
  }
}

function endOf(news: JobNews): JobEnd | undefined {
  switch (news.status.phase) {
    case 'claimed':
    case 'running':
      return undefined;
    case 'done':
      return news.result === undefined ? { kind: 'crashed' } : { kind: 'done', result: news.result };
    case 'collected':
      return { kind: 'collected' };
    case 'interrupted':
      return { kind: 'interrupted' };
    // It had begun, so the files were there: whoever removed them left no result.
    case 'absent':
    case 'crashed':
      return { kind: 'crashed' };
  }
}

function stillRunning(context: HostContext, order: NamedOrder): FettleError {
  const minutes = Math.round(order.timeoutMs / 6_000) / 10;
  return new FettleError('timeout', `${context.host.name}: ${order.step} is still running after ${minutes} min`, {
    hint: `fettle leaves it running; \`fettle run resume ${context.run}\` reads its result`,
    details: { job: order.job, step: order.step },
  });
}
