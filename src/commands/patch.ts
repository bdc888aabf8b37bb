import type { ExitName } from '../domain/exit.ts';
import { hasGaps, hasWork } from '../engine/plan.ts';
import { runDetailFields } from '../report/ledger-json.ts';
import { renderPlan } from '../report/plan-table.ts';
import { applyDecoded } from './apply.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { lookAt } from './look.ts';
import { planFleet, readPlanRequest, writePlan, type MadePlan } from './planning.ts';
import { confirm } from './rollout.ts';

/** plan, question, apply in one. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { options } = invocation;
  const request = await readPlanRequest(invocation, context);
  const { hosts } = request.fleet;
  let made: MadePlan | undefined;
  const planned = await lookAt(
    {
      kind: 'plan',
      hosts,
      options,
      // What is printed is the run.
      jsonFields: runDetailFields,
      action: async (look) => {
        made = await planFleet(request, look, invocation, context);
        return { exitName: 'ok', counts: { planned: made.plan.hosts.length } };
      },
    },
    context,
  );
  if (made === undefined || planned !== 'ok') return planned;
  const { plan, bytes, sha256 } = made;
  if (options.out !== undefined) await writePlan(options.out, made, context);
  // With --json or --jsonl stdout belongs to the run.
  if (options.json === undefined && options.jsonl !== true && options.quiet !== true) {
    context.output.stdout.write(renderPlan({ plan, sha256 }, context.output));
  }
  if (!plan.hosts.some(hasWork)) {
    const isAbsent = plan.absent.some((item) => item.kind === 'unreachable' || item.kind === 'failed');
    return isAbsent || plan.hosts.some(hasGaps) ? 'partial' : 'ok';
  }
  if (!(await confirm('install this now?', options, context))) {
    context.console.message('nothing was installed');
    return 'ok';
  }
  const taking = new Set(plan.hosts.map((host) => host.host));
  return applyDecoded(
    { plan, bytes, sha256, hosts: hosts.filter((host) => taking.has(host.name)), invocation },
    context,
  );
}
