import { plural } from '../../base/text.ts';
import type { ExitName } from '../../domain/exit.ts';
import type { Host } from '../../domain/host.ts';
import { callOffShutdowns } from '../../engine/fleet/cancel-shutdown.ts';
import { fanOutExit } from '../../engine/fleet/exit.ts';
import { FettleError } from '../../domain/error.ts';
import { runDetailFields } from '../../report/tables/ledger-json.ts';
import { callOffJson, renderCallOff, type CallOffRow } from '../../report/tables/cancel-shutdown.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import { readRun, type RunRequest } from '../invocation/request.ts';
import { loadFleet } from '../frame/selected-hosts.ts';
import { queryHosts } from '../frame/host-results.ts';
import { executePower } from '../frame/power.ts';
import { confirm } from '../frame/execute-plan.ts';

interface ShutdownRequest extends RunRequest {
  readonly pattern: string;
  readonly cancel: boolean;
  readonly ifIdle: boolean;
  readonly yes: boolean;
}

export function read(invocation: Invocation, context: ReadContext): ShutdownRequest {
  const [pattern = 'all'] = invocation.arguments;
  const { cancel = false, ifIdle = false, yes = false } = invocation.options;
  if (cancel && ifIdle) {
    throw new FettleError('usage', '--if-idle applies to a shutdown, not to --cancel', {
      hint: 'leave one of them out',
    });
  }
  return { ...readRun(invocation, context, cancel ? callOffJson : runDetailFields), pattern, cancel, ifIdle, yes };
}

/** Shuts hosts down and verifies that each is off; with `--cancel`, cancels what is scheduled on them. */
export async function run(request: ShutdownRequest, context: Context): Promise<ExitName> {
  const { pattern: select } = request;
  const { hosts } = await loadFleet(request, context, select);
  if (request.cancel) return cancelShutdowns(hosts, request, context);
  const question = `shut down ${plural(hosts.length, 'host')}? They do not start again by themselves.`;
  if (!(await confirm(question, request.yes, context))) return 'ok';
  const idle = request.ifIdle ? ({ ifIdle: true } as const) : {};
  const settings = { mode: 'always', power: 'off', ...idle } as const;
  return executePower({ kind: 'shutdown', hosts, select, settings, request }, context);
}

function cancelShutdowns(hosts: readonly Host[], request: ShutdownRequest, context: Context): Promise<ExitName> {
  return queryHosts<CallOffRow>(
    {
      kind: 'shutdown',
      hosts,
      request,
      shape: callOffJson,
      isWell,
      render: renderCallOff,
      query: async (readOnly) => {
        const rows: CallOffRow[] = [];
        await callOffShutdowns(hosts, {
          ...readOnly,
          onResult: (host, outcome) => rows.push({ host: host.name, outcome }),
        });
        const good = rows.filter(isWell).length;
        return { rows, exitName: fanOutExit(rows.map(errorOf)), counts: { ok: good, failed: rows.length - good } };
      },
    },
    context,
  );
}

function isWell({ outcome }: CallOffRow): boolean {
  return outcome.verdict === 'verified';
}

function errorOf({ outcome: { error } }: CallOffRow): { readonly error?: FettleError } {
  return error === undefined ? {} : { error: new FettleError(error.code, error.message) };
}
