import type { ExitName } from '../domain/exit.ts';
import { execOnHosts, fanOutExit, type ExecOutcome } from '../engine/fan-out.ts';
import { execJson, renderExec } from '../report/exec-output.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { loadFleet } from './fleet.ts';
import { lookAt } from './look.ts';
import { readDuration } from './scan.ts';
import { show } from './show.ts';

const outputLimitBytes = 1024 * 1024;

/** One command everywhere, with the elevation of each host; its output and how it ended are recorded. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { options } = invocation;
  const { hosts } = await loadFleet(invocation, context);
  const command = invocation.arguments.join(' ');
  const timeoutMs = readDuration(options.timeout, '--timeout');
  return lookAt(
    {
      kind: 'exec',
      hosts,
      options,
      action: async (look) => {
        const results: ExecOutcome[] = [];
        const limits = { outputLimitBytes, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
        await execOnHosts(hosts, { ...look, ...limits, command, onResult: (result) => results.push(result) });
        const good = results.filter((result) => 'exitCode' in result && result.exitCode === 0).length;
        return {
          exitName: fanOutExit(results),
          counts: { ok: good, failed: results.length - good },
          print: () =>
            show(
              {
                rows: results,
                shape: execJson,
                json: options.json,
                text: () => renderExec(results, { output: context.output, raw: options.raw ?? false }),
              },
              context,
            ),
        };
      },
    },
    context,
  );
}
