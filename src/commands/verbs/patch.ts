import type { ExitName } from '../../domain/exit.ts';
import { hasWork } from '../../engine/plan/make-plan.ts';
import { planExit } from '../../engine/rollout/result.ts';
import { runDetailFields } from '../../report/tables/ledger-json.ts';
import { renderPlan } from '../../report/tables/plan.ts';
import { applyApproved } from '../frame/approved-plan.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import { runReadOnly } from '../frame/read-only-run.ts';
import { warnOfPlan } from '../frame/plan-next.ts';
import { loadPlanInput, planFleet, readPlaybook, type MadePlan, type PlaybookRequest } from '../frame/planning.ts';
import { openPlanFile } from '../frame/plan-output.ts';
import { openRecord } from '../frame/open-ledger.ts';
import { confirm, refuseMoreAtOnce } from '../frame/execute-plan.ts';

interface PatchRequest extends PlaybookRequest {
  readonly yes: boolean;
}

export function read(invocation: Invocation, context: ReadContext): PatchRequest {
  // What is printed is the run.
  return { ...readPlaybook(invocation, context, runDetailFields), yes: invocation.options.yes ?? false };
}

/** Plan, confirmation and apply in one. */
export async function run(request: PatchRequest, context: Context): Promise<ExitName> {
  const input = await loadPlanInput(request, context);
  const { hosts } = input.fleet;
  const { concurrency, out } = request;
  if (concurrency !== undefined) refuseMoreAtOnce(concurrency, input.playbook.rollout.concurrency, 'the playbook');
  const file = out === undefined ? undefined : await openPlanFile(out, context);
  let made: MadePlan | undefined;
  const planned = await runReadOnly(
    {
      kind: 'plan',
      hosts,
      request,
      action: async (readOnly) => {
        made = await planFleet(input, request, readOnly, context);
        return { exitName: planExit(made.plan, false), counts: { planned: made.plan.hosts.length } };
      },
    },
    context,
  );
  if (made === undefined || ['auth', 'interrupted', 'terminated'].includes(planned)) return planned;
  const { plan, bytes, sha256 } = made;
  await file?.write(made);
  showPlan(made, request, context);
  if (!plan.hosts.some(hasWork)) return planned;
  if (!(await confirm('install this now?', request.yes, context))) {
    context.console.message('nothing was installed');
    return 'ok';
  }
  const taking = new Set(plan.hosts.map((host) => host.host));
  await using ledger = await openRecord(request, context);
  return await applyApproved(
    { plan, bytes, sha256, hosts: hosts.filter((host) => taking.has(host.name)), ledger, request },
    context,
  );
}

/** With `--json` or `--jsonl` stdout belongs to the run. A question is asked with what it is about, `--quiet` or not. */
function showPlan({ plan, sha256 }: MadePlan, { json, jsonl, quiet, yes }: PatchRequest, context: Context): void {
  const isSilent = quiet && (yes || !plan.hosts.some(hasWork));
  if (json === undefined && !jsonl && !isSilent) {
    context.output.stdout.write(renderPlan({ plan, sha256 }, context.output));
  } else if (quiet) warnOfPlan(plan, context);
}
