import { asFettleError, FettleError, isUnreached } from '../../domain/error.ts';
import type { JobStatus } from '../../domain/job.ts';
import type { StartedJob } from '../../remote/jobs.ts';
import type { HostContext } from '../context.ts';
import type { JobEnd, NamedOrder } from './job-order.ts';
import { passesWhileAtWork, retryThroughOutages } from './retry.ts';

/**
 * Starts the job, or attaches where it is there already. An answer of the host that it refuses means that nothing
 * runs; a connection lost on the way means that nobody knows, unless it never came to be.
 */
export async function startJob(context: HostContext, order: NamedOrder): Promise<StartedJob | JobEnd> {
  let mayRun = order.open !== undefined;
  const { job, kind, manager, request, waitSec } = order;
  const start = {
    job,
    kind,
    ...(manager === undefined ? {} : { manager }),
    request,
    run: context.run,
    controller: context.operator.controller,
    fence: context.fence,
    ...(waitSec === undefined ? {} : { waitSec }),
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

export function lostDuring(context: HostContext, order: NamedOrder, cause: FettleError): FettleError {
  return new FettleError('lost', `${context.host.name}: lost during ${order.step}: ${cause.message}`, {
    cause,
    hint: `the job continues on the host; \`fettle run resume ${context.run}\` reads its result`,
    details: { job: order.job, step: order.step },
  });
}
