// The command to type after a plan that was not written to a file.
import { cleanLine, shellWord } from '../../base/text.ts';
import { isUncertain, type Plan } from '../../domain/plan.ts';
import { hasWork } from '../../engine/plan/make-plan.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';

/** One line: the command that comes next, with the files of this one. */
export function nextAfterPlan(plan: Plan, { arguments: [playbook = ''], options }: Invocation): string {
  const inventory = (options.inventory ?? []).map((file) => ` -i ${shellWord(file)}`).join('');
  const again = `fettle plan ${shellWord(playbook)}${inventory}`;
  if (plan.hosts.length === 0) return 'next: fettle init fleet, for an inventory and a playbook of your own hosts';
  if (plan.hosts.some(hasWork)) return `next: ${again} -o plan.json, then: fettle apply plan.json${inventory}`;
  if (plan.hosts.some((host) => isUncertain(host, plan)))
    return `next, as root or with -b: ${again}, which fetches the package lists first`;
  return 'next: fettle report status';
}

/** Where the plan itself is not printed: what is uncertain about it, on stderr. */
export function warnOfPlan({ warnings }: Plan, context: Context): void {
  for (const warning of warnings) context.console.warn(`warning: ${cleanLine(warning)}`);
}
