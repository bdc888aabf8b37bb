import { FettleError } from '../../domain/error.ts';
import type { JobStatus } from '../../domain/job.ts';
import type { JobNews, StartedJob } from '../../remote/jobs.ts';
import type { HostContext } from '../context.ts';
import type { JobLog } from './job-log.ts';
import type { JobEnd, NamedOrder } from './job-order.ts';
import { passesWhileAtWork, retryThroughOutages } from './retry.ts';
import { startJob } from './start-job.ts';

const followBytes = 256 * 1024;
/** A host that answers at once with nothing is not asked again sooner. */
const idlePauseMs = 500;
/** An outage of this length is waited for even where the time of the job runs out under it. */
const shortOutageMs = 60_000;

const isUnbegun = ({ phase }: JobStatus): boolean => phase === 'claimed' || phase === 'absent';

interface Following {
  readonly log: JobLog;
  readonly started: StartedJob;
}

/** Reads a job by byte offset until it is over, through lost connections. */
export async function followToEnd(
  context: HostContext,
  order: NamedOrder,
  { log, started }: Following,
): Promise<JobEnd> {
  const { clock, detach } = context;
  const deadlineMs = clock.elapsedMs() + order.timeoutMs;
  let hasBegun = !isUnbegun(started);
  let offset = 0;
  if (started.news !== undefined) {
    log.add(started.news);
    offset = started.news.offset;
    const end = hasBegun && isDrained(started.news) ? endOf(started.news) : undefined;
    if (end !== undefined) return end;
  }
  for (;;) {
    const askedMs = clock.elapsedMs();
    const leftMs = deadlineMs - askedMs;
    if (leftMs < 0) return { kind: 'lost', error: stillRunning(context, order), isOvertime: true };
    const news = await askForNews(context, order, { offset, leftMs });
    log.add(news);
    offset = news.offset;
    // A power cut may have taken away a claim that was not on the disk yet.
    const isToStart = news.status.phase === 'claimed' || (news.status.phase === 'absent' && !hasBegun);
    const end = isDrained(news) && !isToStart ? endOf(news) : undefined;
    if (end !== undefined) return end;
    if (isToStart) {
      const again = await startJob(context, { ...order, open: { step: order.step, attempt: context.attempt } });
      if ('kind' in again) return again;
      hasBegun = !isUnbegun(again);
    } else hasBegun = true;
    if (news.log.length === 0 && clock.elapsedMs() - askedMs < idlePauseMs) await clock.sleep(idlePauseMs, detach);
  }
}

/** All of the log that is there was read. */
function isDrained(news: JobNews): boolean {
  return news.log.length === 0 || news.offset >= news.status.logBytes;
}

function askForNews(
  context: HostContext,
  { job }: NamedOrder,
  { offset, leftMs }: { readonly offset: number; readonly leftMs: number },
): Promise<JobNews> {
  const { detach: signal, limits, remote } = context;
  const waitSec = Math.min(limits.followWaitSec, Math.ceil(leftMs / 1_000));
  // An outage prolongs the limit of the job by a little at most.
  const limitMs = Math.min(limits.outageMs, Math.max(leftMs, shortOutageMs));
  const patience = { limitMs, isPassing: passesWhileAtWork(context) };
  const options = { waitSec, maxBytes: followBytes, signal };
  return retryThroughOutages(context, patience, () => remote.followJob(job, offset, options));
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
