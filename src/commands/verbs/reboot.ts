import { plural } from '../../base/text.ts';
import type { ExitName } from '../../domain/exit.ts';
import { runDetailFields } from '../../report/tables/ledger-json.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import { readRun, type RunRequest } from '../invocation/request.ts';
import { loadFleet } from '../frame/selected-hosts.ts';
import { executePower } from '../frame/power.ts';
import { confirm } from '../frame/execute-plan.ts';

interface RebootRequest extends RunRequest {
  readonly pattern: string;
  /** Also hosts that need no reboot. */
  readonly force: boolean;
  readonly ifIdle: boolean;
  readonly yes: boolean;
}

export function read(invocation: Invocation, context: ReadContext): RebootRequest {
  const [pattern = 'all'] = invocation.arguments;
  const { force = false, ifIdle = false, yes = false } = invocation.options;
  return { ...readRun(invocation, context, runDetailFields), pattern, force, ifIdle, yes };
}

/** Reboots hosts that need it, all with `--force`, and proves each reboot by the boot id. */
export async function run(request: RebootRequest, context: Context): Promise<ExitName> {
  const { pattern: select, force } = request;
  const { hosts } = await loadFleet(request, context, select);
  const count = plural(hosts.length, 'host');
  const question = force ? `reboot ${count}?` : `reboot those of ${count} that need it?`;
  if (!(await confirm(question, request.yes, context))) return 'ok';
  const idle = request.ifIdle ? ({ ifIdle: true } as const) : {};
  const settings = { mode: force ? 'always' : 'if-needed', ...idle } as const;
  return executePower({ kind: 'reboot', hosts, select, settings, request }, context);
}
