import type { ExitName } from '../../domain/exit.ts';
import type { Plan } from '../../domain/plan.ts';
import { planExit } from '../../engine/rollout/result.ts';
import { jsonObject } from '../../report/text/json.ts';
import { renderPlan } from '../../report/tables/plan.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';
import { runReadOnly } from '../frame/read-only-run.ts';
import { showDocument } from '../invocation/show.ts';
import { nextAfterPlan, warnOfPlan } from '../frame/plan-next.ts';
import { openPlanFile } from '../frame/plan-output.ts';
import { planFleet, readPlanRequest, type MadePlan } from '../frame/planning.ts';

/** Freezes what shall be installed where. Refreshes old package lists first, else changes nothing on hosts. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { options } = invocation;
  const request = await readPlanRequest(invocation, context);
  const file = options.out;
  const out = file === undefined ? undefined : await openPlanFile(file, context);
  let made: MadePlan | undefined;
  const exitName = await runReadOnly(
    {
      kind: 'plan',
      hosts: request.fleet.hosts,
      options,
      jsonFields: Object.keys(isOptional),
      action: async (readOnly) => {
        made = await planFleet(request, readOnly, invocation, context);
        const { plan } = made;
        const absent = plan.absent.filter((item) => item.kind !== 'disabled').length;
        return {
          exitName: planExit(plan, options.detailedExitcode ?? false),
          counts: { planned: plan.hosts.length, absent },
        };
      },
    },
    context,
  );
  if (made === undefined) return exitName;
  await out?.write(made);
  const { plan, sha256 } = made;
  if (options.json !== undefined)
    showDocument(jsonObject('plan', planValue(made, options.json), options.json), context);
  else if (options.quiet !== true && options.jsonl !== true)
    context.output.stdout.write(renderPlan({ plan, sha256, path: file }, context.output));
  if (options.quiet === true) warnOfPlan(plan, context);
  if (file === undefined && options.jsonl !== true) context.console.message(nextAfterPlan(plan, invocation));
  return exitName;
}

/** Fields of `plan --json`; true for those that a plan need not have. */
const isOptional: Readonly<Record<keyof Plan | 'sha256', boolean>> = {
  sha256: false,
  kind: false,
  version: false,
  id: false,
  createdMs: false,
  expiresMs: false,
  fettleVersion: false,
  playbook: false,
  select: false,
  limit: true,
  seed: false,
  concurrency: false,
  perSource: true,
  budget: false,
  waves: false,
  policy: false,
  install: false,
  reboot: false,
  verify: false,
  hooks: false,
  hosts: false,
  absent: false,
  warnings: false,
};

/** The whole document is the plan as it is; a field that was asked for and is not there is null. */
function planValue({ plan, sha256 }: MadePlan, choice: string | true): Readonly<Record<string, unknown>> {
  const absent = choice === true ? [] : Object.entries(isOptional).filter(([, optional]) => optional);
  return { ...Object.fromEntries(absent.map(([name]) => [name, undefined])), sha256, ...plan };
}
