import { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';
import { execOnHosts, type ExecOutcome } from '../../engine/fleet/exec.ts';
import { fanOutExit } from '../../engine/fleet/exit.ts';
import { execJson, renderExec, type ExecAnswer } from '../../report/tables/exec.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';
import { loadFleet } from '../frame/selected-hosts.ts';
import { runReadOnly } from '../frame/read-only-run.ts';
import { readDuration } from '../invocation/times.ts';
import { showResults } from '../invocation/show.ts';

const outputLimitBytes = 1024 * 1024;
/** The limit of a command for which none is given. */
const defaultTimeoutMs = 60 * 60_000;

/** One command everywhere, with the elevation of each host; its output and how it ended are recorded. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { options } = invocation;
  const { pattern, command } = readWords(invocation);
  const { hosts } = await loadFleet(invocation, context, pattern);
  const timeoutMs = readDuration(options.timeout, '--timeout') ?? defaultTimeoutMs;
  return runReadOnly(
    {
      kind: 'exec',
      hosts,
      options,
      jsonFields: Object.keys(execJson.fields),
      action: async (readOnly) => {
        const results: ExecOutcome[] = [];
        await execOnHosts(hosts, {
          ...readOnly,
          outputLimitBytes,
          timeoutMs,
          command,
          onResult: (result) => results.push(result),
        });
        const good = results.filter((result) => 'exitCode' in result && result.exitCode === 0).length;
        const exitName = fanOutExit(results);
        return {
          exitName,
          counts: { ok: good, failed: results.length - good },
          print: () =>
            showResults(
              {
                rows: results,
                shape: execJson,
                options,
                exitName,
                isWell: endedSilently,
                text: (shown) => renderExec(shown, { output: context.output, raw: options.raw ?? false }),
              },
              context,
            ),
        };
      },
    },
    context,
  );
}

/** What a command printed was asked for; that it ended well is no news. */
function endedSilently(row: ExecAnswer): boolean {
  return !('error' in row) && row.exitCode === 0 && row.stdout.length + row.stderr.length + row.truncatedBytes === 0;
}

/** Before `--` stands a pattern of hosts, as for other commands; without a `--` all of it is the command. */
function readWords({ arguments: words, afterDashes = words.length }: Invocation): {
  readonly pattern?: string;
  readonly command: string;
} {
  const before = Math.max(0, words.length - afterDashes);
  const [pattern, ...others] = words.slice(0, before);
  const command = words.slice(before).join(' ');
  if (command.trim() === '' || others.length > 0) {
    throw new FettleError('usage', others.length > 0 ? 'more than one word stands before --' : 'no command is given', {
      hint: "one pattern of hosts may stand before --, the command after it: fettle exec 'web:db' -- uname -r",
    });
  }
  return { ...(pattern === undefined ? {} : { pattern }), command };
}
