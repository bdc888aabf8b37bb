import { asFettleError, FettleError } from '../../domain/error.ts';
import type { JobId } from '../../domain/job.ts';
import { show } from '../context.ts';
import type { HostWork } from './host-state.ts';
import { collectQuietly } from '../job/run-job.ts';
import { passesWhileAtWork, retryThroughOutages } from '../job/retry.ts';

/**
 * Jobs of earlier attempts whose end nobody saw are waited for and collected before anything new is begun: two jobs of
 * one run never work on a host at the same time, and none is left behind.
 * @throws FettleError `lock-held` when one does not end within the time an install may take.
 */
export async function settleLeftovers(work: HostWork): Promise<void> {
  const { context, state } = work;
  for (const { job, attempt } of state?.openSteps ?? []) {
    if (job === undefined || attempt === context.attempt) continue;
    await waitForEnd(work, job);
    await collectQuietly(context, job);
  }
}

/** Whatever could not be collected at its time, or was no longer needed, goes when the run is done with the host. */
export async function sweepLeftovers({ context }: HostWork): Promise<void> {
  try {
    await context.remote.sweepRun(context.run, context.detach);
  } catch (error) {
    const note = `not collected yet: ${asFettleError(error).message}`;
    show(context, { type: 'live.note', host: context.host.name, note });
  }
}

async function waitForEnd({ context, plan }: HostWork, job: JobId): Promise<void> {
  const patience = { limitMs: context.limits.outageMs, isPassing: passesWhileAtWork(context) };
  const { clock, detach, limits, remote, run, host } = context;
  const deadlineMs = clock.elapsedMs() + plan.install.timeoutMs;
  for (;;) {
    const options = { waitSec: limits.followWaitSec, maxBytes: 1, signal: detach };
    const status = await retryThroughOutages(
      context,
      patience,
      async () => (await remote.followJob(job, 2 ** 40, options)).status,
    );
    if (status.phase !== 'running') return;
    if (clock.elapsedMs() > deadlineMs) {
      throw new FettleError('lock-held', `${host.name}: job ${job} of an earlier attempt is still running`, {
        hint: `check it on the host, then: fettle run resume ${run}`,
      });
    }
  }
}
