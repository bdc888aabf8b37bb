// Carrying out a plan: shared by `apply`, `patch`, `reboot` and `run resume`.
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
import { checkFields } from '../../report/text/json.ts';
import { runDetailFields } from '../../report/tables/ledger-json.ts';
import { openReporter } from '../../report/live/registry.ts';
import type { Transports } from '../../transport/registry.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';
import { checkDescriptors, fittingAtOnce, rolloutSessions } from './descriptors.ts';
import { openInventory, resolveFleet } from './selected-hosts.ts';
import type { LedgerToRecord } from './open-ledger.ts';
import { showRunDocument } from './run-document.ts';
import type { Options } from '../invocation/options.ts';
import { thisMachine } from './own-machine.ts';
import { resolveRoutes, openCommandTransports, remoteOpener, runContext } from './connections.ts';

export interface RolloutRequest {
  readonly plan: Plan;
  readonly hosts: readonly Host[];
  readonly opening: RunStarted | Extract<RunEvent, { readonly type: 'run.resumed' }>;
  readonly ledger: LedgerToRecord;
  readonly options: Partial<Options>;
  readonly state?: RunState;
  /** Processes that had the run in hand and are gone. */
  readonly gone?: readonly Operator[];
}

export async function executePlan(request: RolloutRequest, context: Context): Promise<ExitName> {
  const { hosts, opening, ledger, options, state, gone } = request;
  checkDescriptors(context);
  checkFields(runDetailFields, options.json);
  let exitName: ExitName;
  await using transports = openCommandTransports(options, context);
  await resolveRoutes(hosts, transports);
  const plan = await fittingPlan(request, transports, context);
  using _ = context.interruptions.takeCharge('change');
  const reporter = await openReporter(options, context.output);
  try {
    await ledger.withdrawStop(opening.run);
    const result = await applyPlan({
      ...runContext({ run: opening.run, record: ledger, sink: reporter }, context),
      opening,
      plan,
      hosts: new Map(hosts.map((host) => [host.name, host])),
      openRemote: remoteOpener(transports, context),
      reachedThrough: plannedRoutes(plan.hosts),
      own: await thisMachine(options, context),
      interruptedAs: () => context.interruptions.exitName(),
      ...(state === undefined ? {} : { state }),
      ...(gone === undefined ? {} : { gone }),
    });
    exitName = result.exitName;
  } finally {
    reporter.finish();
  }
  if (options.json !== undefined) await showRunDocument(opening.run, { ledger, json: options.json }, context);
  return exitName;
}

/** The plan as `--limit` narrows it, and its hosts out of the inventory as it is now; one that is gone is the caller's to judge. */
export async function hostsOfPlan(
  whole: Plan,
  { options }: Invocation,
  context: Context,
): Promise<{ readonly plan: Plan; readonly hosts: readonly Host[] }> {
  const inventory = await openInventory(options, context);
  const plan = options.limit === undefined ? whole : narrowed(whole, matchHosts(inventory, options.limit));
  if (options.limit !== undefined && plan.hosts.length + plan.absent.length === 0) {
    throw new FettleError('usage', `--limit ${options.limit} leaves no host of the plan`);
  }
  const names = plan.hosts.map((host) => host.host).filter((name) => inventory.hosts.has(name));
  return { plan, hosts: await resolveFleet(inventory, names, options, context) };
}

/** The hosts of a plan as its run's record has them. */
export function partsOf(plan: Plan): Required<Pick<RunStarted, 'hosts' | 'idle' | 'absent'>> {
  return {
    hosts: plan.waves.flatMap((wave) => wave.hosts),
    idle: plan.hosts.flatMap(({ host, wave }) => (wave < 0 ? [host] : [])),
    absent: plan.absent.map(({ host, kind, reason }) => ({ host, kind, reason })),
  };
}

async function fittingPlan({ plan, hosts }: RolloutRequest, transports: Transports, context: Context): Promise<Plan> {
  const atOnce = await fittingAtOnce(plan.concurrency, { hosts, transports, use: rolloutSessions }, context);
  return lowered(plan, Math.min(atOnce, plan.concurrency));
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
  throw new FettleError('usage', `${by} lets ${plural(allowed, 'host')} go at once; --concurrency ${atOnce} is more`, {
    hint: 'lower it here, or raise rollout.concurrency in the playbook and make a new plan',
  });
}

/** Before anything is changed: a person says yes, or `--yes` did. */
export async function confirm(question: string, options: Partial<Options>, context: Context): Promise<boolean> {
  if (options.yes === true) return true;
  if (!context.prompt.isAvailable) {
    throw new FettleError('usage', 'there is no terminal to ask whether to go ahead', { hint: 'say so with --yes' });
  }
  return context.prompt.confirm(question);
}
