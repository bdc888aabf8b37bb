import type { ExitName } from '../../domain/exit.ts';
import type { Plan } from '../../domain/plan.ts';
import { planExit } from '../../engine/rollout/result.ts';
import { jsonObject } from '../../report/text/json.ts';
import { renderPlan } from '../../report/tables/plan.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import { runReadOnly } from '../frame/read-only-run.ts';
import { showDocument } from '../invocation/show.ts';
import { nextAfterPlan, warnOfPlan } from '../frame/plan-next.ts';
import { openPlanFile } from '../frame/plan-output.ts';
import { loadPlanInput, planFleet, readPlaybook, type MadePlan, type PlaybookRequest } from '../frame/planning.ts';

interface PlanRequest extends PlaybookRequest {
  readonly detailedExitcode: boolean;
}

export function read(invocation: Invocation, context: ReadContext): PlanRequest {
  const { detailedExitcode = false } = invocation.options;
  return { ...readPlaybook(invocation, context, Object.keys(isOptional)), detailedExitcode };
}

/** Plans what to install where. Refreshes old package lists first; changes nothing else on hosts. */
export async function run(request: PlanRequest, context: Context): Promise<ExitName> {
  const input = await loadPlanInput(request, context);
  const { out: file, json, jsonl, quiet } = request;
  const out = file === undefined ? undefined : await openPlanFile(file, context);
  let made: MadePlan | undefined;
  const exitName = await runReadOnly(
    {
      kind: 'plan',
      hosts: input.fleet.hosts,
      request,
      action: async (readOnly) => {
        made = await planFleet(input, request, readOnly, context);
        const { plan } = made;
        const absent = plan.absent.filter((item) => item.kind !== 'disabled').length;
        return {
          exitName: planExit(plan, request.detailedExitcode),
          counts: { planned: plan.hosts.length, absent },
        };
      },
    },
    context,
  );
  if (made === undefined) return exitName;
  await out?.write(made);
  const { plan, sha256 } = made;
  if (json !== undefined) showDocument(jsonObject('plan/1', planValue(made, json), json), context);
  else if (!quiet && !jsonl) context.output.stdout.write(renderPlan({ plan, sha256, path: file }, context.output));
  if (quiet) warnOfPlan(plan, context);
  if (file === undefined && !jsonl) context.console.message(nextAfterPlan(plan, context.command.invocation));
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
