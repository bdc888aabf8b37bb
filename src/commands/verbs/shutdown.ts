import { plural } from '../../base/text.ts';
import type { ExitName } from '../../domain/exit.ts';
import type { Host } from '../../domain/host.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { callOffShutdowns } from '../../engine/fleet/cancel-shutdown.ts';
import { fanOutExit } from '../../engine/fleet/exit.ts';
import { FettleError } from '../../domain/error.ts';
import { callOffJson, renderCallOff, type CallOffRow } from '../../report/tables/cancel-shutdown.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';
import { loadFleet } from '../frame/selected-hosts.ts';
import { runReadOnly } from '../frame/read-only-run.ts';
import { carryOutPower } from '../frame/power.ts';
import { confirm } from '../frame/execute-plan.ts';
import { showResults } from '../invocation/show.ts';

/** Switches hosts off and proves that each is gone; with `--cancel`, calls off what is scheduled on them. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { options } = invocation;
  const select = invocation.arguments[0] ?? 'all';
  const { hosts } = await loadFleet(invocation, context, select);
  if (options.cancel === true && options.ifIdle === true) {
    throw new FettleError('usage', '--if-idle is for switching off, not for --cancel', {
      hint: 'leave one of them out',
    });
  }
  if (options.cancel === true) return callOff(hosts, invocation, context);
  const question = `switch off ${plural(hosts.length, 'host')}? They do not come back by themselves.`;
  if (!(await confirm(question, options, context))) return 'ok';
  const idle = options.ifIdle === true ? ({ ifIdle: true } as const) : {};
  const settings = { mode: 'always', power: 'off', ...idle } as const;
  return carryOutPower({ kind: 'shutdown', hosts, select, settings, options }, context);
}

function callOff(hosts: readonly Host[], { options }: Invocation, context: Context): Promise<ExitName> {
  const request = { kind: 'shutdown', hosts, options, jsonFields: Object.keys(callOffJson.fields) } as const;
  return runReadOnly(
    {
      ...request,
      action: async (readOnly) => {
        const ends: { readonly host: string; readonly outcome: Outcome }[] = [];
        await callOffShutdowns(hosts, {
          ...readOnly,
          onResult: (host, outcome) => ends.push({ host: host.name, outcome }),
        });
        const good = ends.filter(({ outcome }) => outcome.verdict === 'verified').length;
        const exitName = fanOutExit(ends.map(({ outcome }) => errorOf(outcome)));
        const isWell = ({ outcome }: CallOffRow): boolean => outcome.verdict === 'verified';
        const text = (shown: readonly CallOffRow[]): string => renderCallOff(shown, context.output);
        return {
          exitName,
          counts: { ok: good, failed: ends.length - good },
          print: () => showResults({ rows: ends, shape: callOffJson, options, exitName, isWell, text }, context),
        };
      },
    },
    context,
  );
}

function errorOf({ error }: Outcome): { readonly error?: FettleError } {
  return error === undefined ? {} : { error: new FettleError(error.code, error.message) };
}
