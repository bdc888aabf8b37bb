import { FettleError } from '../../../domain/error.ts';
import type { Operator } from '../../../domain/event.ts';
import type { RunRow } from '../../../domain/report.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { LedgerReader } from '../../../domain/ledger-reader.ts';
import { narrowed, type Plan } from '../../../domain/plan.ts';
import type { Invocation } from '../../invocation/command.ts';
import { commandLine } from '../../invocation/command-line.ts';
import type { Context } from '../../invocation/context.ts';
import { openRecord } from '../../frame/open-ledger.ts';
import { recordedPlan } from '../../frame/recorded-plan.ts';
import { wrongKind } from '../../frame/run-kinds.ts';
import { executePlan, hostsOfPlan, partsOf, withConcurrency } from '../../frame/execute-plan.ts';

/** Goes on with a run: attaches to what is in flight, finishes the rest, tries what failed once more. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { options } = invocation;
  await using ledger = await openRecord(options, context);
  const recorded = await ledger.findRun(invocation.arguments[0]);
  const { run: id, planSha256 } = recorded;
  if (planSha256 === undefined) {
    throw wrongKind(recorded, 'carried out no plan, so there is nothing to go on with');
  }
  const gone = await goneHolders(id, ledger, context);
  const whole = narrowedAsBefore(await recordedPlan(ledger, planSha256), recorded);
  const { plan: narrow, hosts } = await hostsOfPlan(whole, invocation, context);
  const plan = withConcurrency(narrow, options.concurrency);
  const state = await ledger.runState(id);
  if (state === undefined) throw new FettleError('ledger', `the ledger lacks the state of run ${id}`);
  const { operator } = context;
  const argv = commandLine(context.command);
  const { idle, absent } = partsOf(plan);
  const opening = { type: 'run.resumed', run: id, operator, argv, idle, absent } as const;
  return await executePlan({ plan, hosts, opening, ledger, options, state, gone }, context);
}

/** A run that was narrowed by --limit goes on narrowed; hosts that took no part in its plan are still named. */
function narrowedAsBefore(plan: Plan, { hosts, idle = [], absent = plan.absent }: RunRow): Plan {
  return narrowed(plan, new Set([...hosts, ...idle, ...absent.map((item) => item.host)]));
}

/**
 * Who had the run in hand and is gone.
 * @throws FettleError `lock-held` where a process is still at it; two would hinder each other on every host.
 */
async function goneHolders(id: string, ledger: LedgerReader, context: Context): Promise<readonly Operator[]> {
  const holders = await ledger.leaseHolders(id, context.operator.controller);
  const { controller: here, pid } = context.operator;
  for (const { holder, expiresMs } of holders) {
    // A process with our own number is gone, too: in a container every fettle may have the same.
    const isGone = holder.controller === here && (holder.pid === pid || !context.isProcessAlive(holder.pid));
    if (isGone) continue;
    const who = `${holder.user}@${holder.controller} (pid ${holder.pid})`;
    throw new FettleError('lock-held', `run ${id} is still being carried out by ${who}`, {
      hint: `wait for it, or stop it: fettle run stop ${id}; if it is gone, its hold ends at ${new Date(expiresMs).toISOString()}`,
    });
  }
  return holders.map(({ holder }) => holder);
}
