import { FettleError } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { HostPlan, Plan } from '../../domain/plan.ts';
import type { RecordedFacts } from '../../domain/record.ts';
import { emit } from '../context.ts';
import type { HostRunContext, RunContext } from '../context.ts';
import { verifyHost } from '../host/host-run.ts';
import { forEachHost, type FanOut } from './for-each-host.ts';

export interface VerifyFleet extends FanOut {
  readonly plan: Plan;
  /** What the run that carried out the plan recorded of the host. */
  readonly recorded: (hostId: string) => Promise<RecordedFacts | undefined>;
  readonly own: HostRunContext['own'];
  readonly onResult: (host: Host, outcome: Outcome) => void;
}

/** Scans hosts again and compares them with the plan of a run. Changes nothing on them. */
export async function verifyHosts(hosts: readonly Host[], fleet: VerifyFleet): Promise<void> {
  const plans = new Map(fleet.plan.hosts.map((hostPlan) => [hostPlan.hostId, hostPlan]));
  await forEachHost(hosts, fleet, async (host) => {
    const hostPlan = plans.get(host.id);
    if (hostPlan !== undefined) fleet.onResult(host, await verifyOne(host, hostPlan, fleet));
  });
}

async function verifyOne(host: Host, hostPlan: HostPlan, fleet: VerifyFleet): Promise<Outcome> {
  const { context, plan } = fleet;
  await using remote = fleet.remote(host);
  const recorded = await fleet.recorded(host.id);
  await emit(context, [{ type: 'host.started', run: context.run, host: host.name, hostId: host.id, attempt: 1 }]);
  const outcome = await verifyHost({
    context: readingContext(context, { host, remote, own: fleet.own }),
    plan,
    hostPlan,
    ...(recorded === undefined ? {} : { recorded }),
  });
  if (outcome.error?.code === 'ledger') throw new FettleError('ledger', outcome.error.message);
  return outcome;
}

function readingContext(context: RunContext, own: Pick<HostRunContext, 'host' | 'remote' | 'own'>): HostRunContext {
  const rebootSlot = (): Promise<Disposable> =>
    Promise.reject(new FettleError('internal', 'a read-only run reboots nothing'));
  return { ...context, ...own, attempt: 1, fence: 0, rebootSlot };
}
