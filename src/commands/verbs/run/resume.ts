import { FettleError } from '../../../domain/error.ts';
import type { Operator } from '../../../domain/event.ts';
import type { RunRow } from '../../../domain/report.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { LedgerReader } from '../../../domain/ledger-reader.ts';
import { narrowed, type Plan } from '../../../domain/plan.ts';
import { runDetailFields } from '../../../report/tables/ledger-json.ts';
import type { Invocation } from '../../invocation/command.ts';
import { commandLine } from '../../invocation/command-line.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { readHosts, readLedger, type HostsRequest, type LedgerRequest } from '../../invocation/request.ts';
import { openRecord } from '../../frame/open-ledger.ts';
import { recordedPlan } from '../../frame/recorded-plan.ts';
import { wrongKind } from '../../frame/run-kinds.ts';
import { executePlan, hostsOfPlan, partsOf, withConcurrency } from '../../frame/execute-plan.ts';

interface ResumeRequest extends HostsRequest, LedgerRequest {
  /** Undefined: the latest that worked on hosts. */
  readonly run: string | undefined;
}

export function read(invocation: Invocation, context: ReadContext): ResumeRequest {
  return {
    ...readHosts(invocation, context, runDetailFields),
    ...readLedger(invocation, context),
    run: invocation.arguments[0],
  };
}

/** Resumes a run: attaches to jobs that are still running, finishes the other hosts, retries what failed once. */
export async function run(request: ResumeRequest, context: Context): Promise<ExitName> {
  await using ledger = await openRecord(request, context);
  const recorded = await ledger.findRun(request.run);
  const { run: id, planSha256 } = recorded;
  if (planSha256 === undefined) {
    throw wrongKind(recorded, 'executed no plan, so there is nothing to resume');
  }
  const gone = await goneHolders(id, ledger, context);
  const whole = narrowedAsBefore(await recordedPlan(ledger, planSha256), recorded);
  const { plan: narrow, hosts } = await hostsOfPlan(whole, request, context);
  const plan = withConcurrency(narrow, request.concurrency);
  const state = await ledger.runState(id);
  if (state === undefined) throw new FettleError('ledger', `the ledger does not contain the state of run ${id}`);
  const { operator } = context;
  const argv = commandLine(context.command);
  const { idle, absent } = partsOf(plan);
  const opening = { type: 'run.resumed', run: id, operator, argv, idle, absent } as const;
  return await executePlan({ plan, hosts, opening, ledger, request, state, gone }, context);
}

/** A run that was narrowed by --limit stays narrowed; hosts that took no part in its plan are still named. */
function narrowedAsBefore(plan: Plan, { hosts, idle = [], absent = plan.absent }: RunRow): Plan {
  return narrowed(plan, new Set([...hosts, ...idle, ...absent.map((item) => item.host)]));
}

/**
 * The processes that executed the run before and have ended.
 * @throws FettleError `lock-held` where one is still running; two would hinder each other on every host.
 */
async function goneHolders(id: string, ledger: LedgerReader, context: Context): Promise<readonly Operator[]> {
  const holders = await ledger.leaseHolders(id, context.operator.controller);
  const { controller: here, pid } = context.operator;
  for (const { holder, expiresMs } of holders) {
    // A process with our own number is gone, too: in a container every fettle may have the same.
    const isGone = holder.controller === here && (holder.pid === pid || !context.isProcessAlive(holder.pid));
    if (isGone) continue;
    const who = `${holder.user}@${holder.controller} (pid ${holder.pid})`;
    throw new FettleError('lock-held', `run ${id} is still being executed by ${who}`, {
      hint: `wait for it, or stop it: fettle run stop ${id}; if that process has ended, its lease expires at ${new Date(expiresMs).toISOString()}`,
    });
  }
  return holders.map(({ holder }) => holder);
}
