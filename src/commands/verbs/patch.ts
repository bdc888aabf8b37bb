import type { ExitName } from '../../domain/exit.ts';
import { hasWork } from '../../engine/plan/make-plan.ts';
import { planExit } from '../../engine/rollout/result.ts';
import { runDetailFields } from '../../report/tables/ledger-json.ts';
import { renderPlan } from '../../report/tables/plan.ts';
import { applyApproved } from '../frame/approved-plan.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';
import { runReadOnly } from '../frame/read-only-run.ts';
import { warnOfPlan } from '../frame/plan-next.ts';
import { planFleet, readPlanRequest, type MadePlan } from '../frame/planning.ts';
import { openPlanFile } from '../frame/plan-output.ts';
import { openRecord } from '../frame/open-ledger.ts';
import { confirm, refuseMoreAtOnce } from '../frame/execute-plan.ts';

/** plan, question, apply in one. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { options } = invocation;
  const request = await readPlanRequest(invocation, context);
  const { hosts } = request.fleet;
  const { concurrency } = options;
  if (concurrency !== undefined) refuseMoreAtOnce(concurrency, request.playbook.rollout.concurrency, 'the playbook');
  const file = options.out === undefined ? undefined : await openPlanFile(options.out, context);
  let made: MadePlan | undefined;
  const planned = await runReadOnly(
    {
      kind: 'plan',
      hosts,
      options,
      // What is printed is the run.
      jsonFields: runDetailFields,
      action: async (readOnly) => {
        made = await planFleet(request, readOnly, invocation, context);
        return { exitName: planExit(made.plan, false), counts: { planned: made.plan.hosts.length } };
      },
    },
    context,
  );
  if (made === undefined || ['auth', 'interrupted', 'terminated'].includes(planned)) return planned;
  const { plan, bytes, sha256 } = made;
  await file?.write(made);
  // With --json or --jsonl stdout belongs to the run.
  // A question is asked with what it is about.
  const isSilent = options.quiet === true && (options.yes === true || !plan.hosts.some(hasWork));
  if (options.json === undefined && options.jsonl !== true && !isSilent) {
    context.output.stdout.write(renderPlan({ plan, sha256 }, context.output));
  } else if (options.quiet === true) warnOfPlan(plan, context);
  if (!plan.hosts.some(hasWork)) return planned;
  if (!(await confirm('install this now?', options, context))) {
    context.console.message('nothing was installed');
    return 'ok';
  }
  const taking = new Set(plan.hosts.map((host) => host.host));
  await using ledger = await openRecord(options, context);
  return await applyApproved(
    { plan, bytes, sha256, hosts: hosts.filter((host) => taking.has(host.name)), ledger, invocation },
    context,
  );
}
