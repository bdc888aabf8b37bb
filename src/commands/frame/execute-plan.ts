// Executes a plan: shared by `apply`, `patch`, `reboot` and `run resume`.
import { plural } from '../../base/text.ts';
import { matchHosts } from '../../config/inventory/selector.ts';
import { FettleError } from '../../domain/error.ts';
import type { Operator, RunEvent, RunStarted } from '../../domain/event.ts';
import type { ExitName } from '../../domain/exit.ts';
import type { Host } from '../../domain/host.ts';
import { plannedRoutes } from '../../domain/jump.ts';
import { narrowed, type Plan } from '../../domain/plan.ts';
import type { RunState } from '../../domain/record.ts';
import { applyPlan } from '../../engine/rollout/apply.ts';
import { openReporter } from '../../report/live/registry.ts';
import type { Context } from '../invocation/context.ts';
import { rolloutSessions } from './descriptors.ts';
import { openInventory, resolveFleet } from './selected-hosts.ts';
import type { LedgerToRecord } from './open-ledger.ts';
import { showRunDocument } from './run-document.ts';
import type { HostsRequest, LedgerRequest } from '../invocation/request.ts';
import { thisMachine } from './own-machine.ts';
import { openConnections, runContext } from './connections.ts';

export interface RolloutOrder {
  readonly plan: Plan;
  readonly hosts: readonly Host[];
  readonly opening: RunStarted | Extract<RunEvent, { readonly type: 'run.resumed' }>;
  readonly ledger: LedgerToRecord;
  readonly request: HostsRequest & LedgerRequest;
  readonly state?: RunState;
  /** Processes that carried the run out before and have ended. */
  readonly gone?: readonly Operator[];
}

export async function executePlan(order: RolloutOrder, context: Context): Promise<ExitName> {
  const { hosts, opening, ledger, request, state, gone } = order;
  const { json } = request;
  let exitName: ExitName;
  const wanted = order.plan.concurrency;
  await using connections = await openConnections(hosts, request, { wanted, use: rolloutSessions }, context);
  const plan = lowered(order.plan, Math.min(connections.atOnce, wanted));
  using _ = context.interruptions.takeCharge('change');
  const reporter = await openReporter(request, context.output);
  try {
    await ledger.withdrawStop(opening.run);
    const result = await applyPlan({
      ...runContext({ run: opening.run, record: ledger, sink: reporter }, context),
      opening,
      plan,
      hosts: new Map(hosts.map((host) => [host.name, host])),
      openRemote: connections.remote(ledger),
      reachedThrough: plannedRoutes(plan.hosts),
      own: await thisMachine(request, context),
      interruptedAs: () => context.interruptions.exitName(),
      ...(state === undefined ? {} : { state }),
      ...(gone === undefined ? {} : { gone }),
    });
    exitName = result.exitName;
  } finally {
    reporter.finish();
  }
  if (json !== undefined) await showRunDocument(opening.run, { ledger, json }, context);
  return exitName;
}

/** The plan as `--limit` narrows it, and its hosts from the inventory as it is now. Hosts that left the inventory are the caller's concern. */
export async function hostsOfPlan(
  whole: Plan,
  request: HostsRequest,
  context: Context,
): Promise<{ readonly plan: Plan; readonly hosts: readonly Host[] }> {
  const { limit } = request;
  const inventory = await openInventory(request, context);
  const plan = limit === undefined ? whole : narrowed(whole, matchHosts(inventory, limit, request));
  if (limit !== undefined && plan.hosts.length + plan.absent.length === 0) {
    throw new FettleError('usage', `--limit ${limit} leaves no host of the plan`, {
      hint: 'list the hosts of the plan with: fettle run show, or leave --limit out',
    });
  }
  const names = plan.hosts.map((host) => host.host).filter((name) => inventory.hosts.has(name));
  return { plan, hosts: await resolveFleet(inventory, names, request, context) };
}

/** The hosts of a plan as its run's record has them. */
export function partsOf(plan: Plan): Required<Pick<RunStarted, 'hosts' | 'idle' | 'absent'>> {
  return {
    hosts: plan.waves.flatMap((wave) => wave.hosts),
    idle: plan.hosts.flatMap(({ host, wave }) => (wave < 0 ? [host] : [])),
    absent: plan.absent.map(({ host, kind, reason }) => ({ host, kind, reason })),
  };
}

/** `--concurrency` can only lower what was approved. */
export function withConcurrency(plan: Plan, atOnce: number | undefined): Plan {
  if (atOnce === undefined) return plan;
  refuseMoreAtOnce(atOnce, plan.concurrency, 'the plan');
  return lowered(plan, atOnce);
}

function lowered(plan: Plan, atOnce: number): Plan {
  const waves = plan.waves.map((wave) => ({ ...wave, concurrency: Math.min(wave.concurrency, atOnce) }));
  return { ...plan, concurrency: atOnce, waves };
}

export function refuseMoreAtOnce(atOnce: number, allowed: number, by: string): void {
  if (atOnce <= allowed) return;
  throw new FettleError(
    'usage',
    `--concurrency ${atOnce} is more than ${by} allows: ${plural(allowed, 'host')} at once`,
    {
      hint: 'give a lower number, or raise rollout.concurrency in the playbook and make a new plan',
    },
  );
}

/** Before anything is changed: confirmed at the terminal, or by `--yes`. */
export async function confirm(question: string, yes: boolean, context: Context): Promise<boolean> {
  if (yes) return true;
  if (!context.prompt.isAvailable) {
    throw new FettleError('usage', 'confirmation is needed, but there is no terminal', { hint: 'confirm with --yes' });
  }
  return context.prompt.confirm(question);
}
