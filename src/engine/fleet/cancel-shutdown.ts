import { asFettleError, FettleError, toErrorRecord } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import { verdictOfError, type Outcome } from '../../domain/outcome.ts';
import { emit } from '../context.ts';
import type { HostContext } from '../context.ts';
import { concludeByExit, runJob } from '../job/run-job.ts';
import type { JobEnd } from '../job/job-order.ts';
import { leaseRequest } from '../run-leases.ts';
import { forEachHost, type FanOut } from './for-each-host.ts';

export interface CallOffFleet extends FanOut {
  readonly onResult: (host: Host, outcome: Outcome) => void;
}

const limitMs = 3 * 60_000;

/** Calls off a shutdown or restart that is scheduled on hosts, flat and at once: no scan comes before it. */
export async function callOffShutdowns(hosts: readonly Host[], fleet: CallOffFleet): Promise<void> {
  await forEachHost(hosts, fleet, async (host) => {
    fleet.onResult(host, await callOff(host, fleet));
  });
}

async function callOff(host: Host, fleet: CallOffFleet): Promise<Outcome> {
  const { context } = fleet;
  const of = { run: context.run, host: host.name, hostId: host.id, attempt: 1 };
  await emit(context, [{ type: 'host.started', ...of }]);
  let outcome: Outcome;
  try {
    context.stop.throwIfAborted();
    outcome = await underLease(host, fleet);
  } catch (thrown) {
    outcome = outcomeOf(asFettleError(thrown));
  }
  await emit(context, [{ type: 'host.finished', ...of, outcome }]);
  return outcome;
}

async function underLease(host: Host, { context, remote: open }: CallOffFleet): Promise<Outcome> {
  const { run, record, clock, operator } = context;
  const request = leaseRequest({ run, operator, clock }, [host.id], 2 * limitMs);
  const { taken, refused } = await record.acquireLeases(request);
  const [lease] = taken;
  if (lease === undefined) {
    const message = `run ${refused[0]?.run ?? ''} has the lease on it`;
    throw new FettleError('lock-held', message, {
      hint: `stop that run first: fettle run stop ${refused[0]?.run ?? ''}`,
    });
  }
  try {
    await using remote = open(host);
    const own: HostContext = { ...context, host, remote, attempt: 1, fence: lease.fence };
    await remote.connect(context.detach);
    const end = await runJob(own, {
      step: 'reboot',
      part: 'call-off',
      name: 'call off',
      kind: 'reboot',
      request: { fields: { power: 'cancel' } },
      timeoutMs: limitMs,
    });
    return conclude(end);
  } finally {
    await record.releaseLeases([{ run, hostId: host.id, fence: lease.fence }]);
  }
}

function conclude(end: JobEnd): Outcome {
  if (end.kind === 'refused' || end.kind === 'lost') throw end.error;
  const { ok, message = '' } = concludeByExit(end);
  if (ok) return { verdict: 'verified', change: 'none', reason: message };
  throw new FettleError('command', message);
}

function outcomeOf(error: FettleError): Outcome {
  const base = { change: 'none', reason: error.message, error: toErrorRecord(error) } as const;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  if (error.code === 'ledger') throw error;
  return { ...base, ...hint, verdict: verdictOfError(error) };
}
