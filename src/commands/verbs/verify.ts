import { FettleError } from '../../domain/error.ts';
import { countedHostNames } from '../../base/host-names.ts';
import { worstExit, type ExitName } from '../../domain/exit.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { Host } from '../../domain/host.ts';
import { narrowed, type Plan } from '../../domain/plan.ts';
import { verifyHosts } from '../../engine/fleet/verify.ts';
import { runResult } from '../../engine/rollout/result.ts';
import { runDetailFields } from '../../report/tables/ledger-json.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import { readRun, type RunRequest } from '../invocation/request.ts';
import { runReadOnly } from '../frame/read-only-run.ts';
import { thisMachine } from '../frame/own-machine.ts';
import { openToRead } from '../frame/open-ledger.ts';
import { hostsOfPlan } from '../frame/execute-plan.ts';
import { wrongKind } from '../frame/run-kinds.ts';
import { recordedPlan } from '../frame/recorded-plan.ts';
import { showRunDocument } from '../frame/run-document.ts';
import { matchHosts } from '../../config/inventory/selector.ts';
import { openInventory } from '../frame/selected-hosts.ts';

interface VerifyRequest extends RunRequest {
  /** Undefined: every host of the run. */
  readonly pattern: string | undefined;
  /** Undefined: the latest that carried out a plan. */
  readonly run: string | undefined;
}

export function read(invocation: Invocation, context: ReadContext): VerifyRequest {
  const [pattern] = invocation.arguments;
  return { ...readRun(invocation, context, runDetailFields), pattern, run: invocation.options.run };
}

/** Scans the hosts of a run again and checks that its result still holds. */
export async function run(request: VerifyRequest, context: Context): Promise<ExitName> {
  const { json } = request;
  const whole = await lastPlan(request, context);
  const { plan, hosts, gone } = await chosenHosts(whole, request, context);
  const own = await thisMachine(request, context);
  return runReadOnly(
    {
      kind: 'verify',
      hosts,
      request,
      action: async (readOnly) => {
        const outcomes = new Map<string, Outcome>();
        await verifyHosts(hosts, {
          ...readOnly,
          plan,
          recorded: (hostId) => readOnly.ledger.recordedFacts(whole.run, hostId),
          own,
          onResult: (host, outcome) => outcomes.set(host.name, outcome),
        });
        const result = runResult({ plan: { ...plan, absent: [] }, outcomes, pending: [] });
        const exitName = worstExit([result.exitName, gone.length > 0 ? 'partial' : 'ok']);
        const counts = { ...result.counts, ...(gone.length === 0 ? {} : { absent: gone.length }) };
        const { run: id } = readOnly.context;
        const print = async (): Promise<void> => {
          if (json !== undefined) await showRunDocument(id, { ledger: readOnly.ledger, json }, context);
        };
        return { exitName, counts, print };
      },
    },
    context,
  );
}

interface ExecutedPlan {
  readonly run: string;
  readonly plan: Plan;
}

/** The hosts that the pattern and `--limit` leave of the plan, and those of them that left the inventory. */
async function chosenHosts(
  { run: id, plan: whole }: ExecutedPlan,
  request: VerifyRequest,
  context: Context,
): Promise<{ readonly plan: Plan; readonly hosts: readonly Host[]; readonly gone: readonly string[] }> {
  const { pattern } = request;
  const inventory = await openInventory(request, context);
  const matching = pattern === undefined ? whole : narrowed(whole, matchHosts(inventory, pattern, request));
  const { plan, hosts } = await hostsOfPlan(matching, request, context);
  const gone = plan.hosts.map(({ host }) => host).filter((host) => !inventory.hosts.has(host));
  if (gone.length > 0) {
    context.console.warn(`not verified, no longer in the inventory: ${countedHostNames(gone)}`);
  }
  if (hosts.length > 0) return { plan, hosts, gone };
  throw new FettleError('usage', `run ${id} has no host that matches`, {
    hint: `list its hosts with: fettle run show ${id}`,
  });
}

async function lastPlan(request: VerifyRequest, context: Context): Promise<ExecutedPlan> {
  await using ledger = await openToRead(request, context);
  const found = await ledger.findRun(request.run, true);
  const { run: id, kind, planSha256 } = found;
  if (planSha256 === undefined || kind === 'shutdown') {
    const why =
      kind === 'shutdown' ? 'shut its hosts down, so there is nothing to verify' : 'executed no plan to verify against';
    throw wrongKind(found, why);
  }
  return { run: id, plan: await recordedPlan(ledger, planSha256) };
}
