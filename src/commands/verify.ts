import { FettleError } from '../domain/error.ts';
import type { ExitName } from '../domain/exit.ts';
import type { Outcome } from '../domain/outcome.ts';
import { verifyHosts } from '../engine/fan-out.ts';
import { runResult } from '../engine/run-result.ts';
import { narrowed } from './apply.ts';
import { runDetailFields } from '../report/ledger-json.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { lookAt } from './look.ts';
import { thisMachine } from './own-machine.ts';
import { openToRead } from './record.ts';
import { planHosts } from './rollout.ts';
import { recordedPlan } from './run-resume.ts';
import { showRunDocument } from './run-show.ts';
import { matchHosts } from '../config/selector.ts';
import { openInventory } from './fleet.ts';

/** Looks at the hosts of a run again: does what it did still hold? */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { options } = invocation;
  const whole = await lastPlan(invocation, context);
  const pattern = invocation.arguments[0];
  const inventory = await openInventory(options, context);
  const plan = pattern === undefined ? whole.plan : narrowed(whole.plan, matchHosts(inventory, pattern));
  const hosts = await planHosts(plan, invocation, context);
  if (hosts.length === 0) throw new FettleError('usage', `run ${whole.run} has no host of that name`);
  const own = await thisMachine(options, context);
  return lookAt(
    {
      kind: 'verify',
      hosts,
      options,
      jsonFields: runDetailFields,
      action: async (look) => {
        const outcomes = new Map<string, Outcome>();
        await verifyHosts(hosts, {
          ...look,
          plan,
          recorded: (hostId) => look.ledger.recordedFacts(whole.run, hostId),
          own,
          onResult: (host, outcome) => outcomes.set(host.name, outcome),
        });
        const { exitName, counts } = runResult({ plan: { ...plan, absent: [] }, outcomes, pending: [] });
        const { json } = options;
        const { run: id } = look.context;
        const print = async (): Promise<void> => {
          if (json !== undefined) await showRunDocument(id, { ledger: look.ledger, json }, context);
        };
        return { exitName, counts, print };
      },
    },
    context,
  );
}

async function lastPlan(
  { options }: Invocation,
  context: Context,
): Promise<{ run: string; plan: Awaited<ReturnType<typeof recordedPlan>> }> {
  await using ledger = await openToRead(options, context);
  const { run: id, planSha256 } = await ledger.findRun(options.run);
  if (planSha256 === undefined)
    throw new FettleError('usage', `run ${id} carried out no plan`, { hint: 'name another with --run' });
  return { run: id, plan: await recordedPlan(ledger, planSha256) };
}
