import { plural } from '../../base/text.ts';
import type { ExitName } from '../../domain/exit.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';
import { loadFleet } from '../frame/selected-hosts.ts';
import { carryOutPower } from '../frame/power.ts';
import { confirm } from '../frame/execute-plan.ts';

/** Reboots hosts that ask for it, all with `--force`, and proves each by its boot id. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { options } = invocation;
  const select = invocation.arguments[0] ?? 'all';
  const { hosts } = await loadFleet(invocation, context, select);
  const which = options.force === true ? 'reboot' : 'reboot, where it is needed,';
  if (!(await confirm(`${which} ${plural(hosts.length, 'host')}?`, options, context))) return 'ok';
  const idle = options.ifIdle === true ? ({ ifIdle: true } as const) : {};
  const settings = { mode: options.force === true ? 'always' : 'if-needed', ...idle } as const;
  return carryOutPower({ kind: 'reboot', hosts, select, settings, options }, context);
}
