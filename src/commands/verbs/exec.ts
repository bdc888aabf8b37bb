import { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';
import { execOnHosts, type ExecOutcome } from '../../engine/fleet/exec.ts';
import { fanOutExit } from '../../engine/fleet/exit.ts';
import { execJson, renderExec, type ExecAnswer } from '../../report/tables/exec.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import { readRun, type RunRequest } from '../invocation/request.ts';
import { loadFleet } from '../frame/selected-hosts.ts';
import { queryHosts } from '../frame/host-results.ts';
import { readDuration } from '../invocation/times.ts';

const outputLimitBytes = 1024 * 1024;
/** The limit of a command for which none is given. */
const defaultTimeoutMs = 60 * 60_000;

interface ExecRequest extends RunRequest {
  readonly pattern: string;
  /** One command line. */
  readonly command: string;
  readonly timeoutMs: number;
  readonly raw: boolean;
}

export function read(invocation: Invocation, context: ReadContext): ExecRequest {
  const { timeout, raw = false } = invocation.options;
  return {
    ...readRun(invocation, context, execJson),
    ...readWords(invocation),
    timeoutMs: readDuration(timeout, '--timeout') ?? defaultTimeoutMs,
    raw,
  };
}

/** Runs one command on every host, with the elevation of each; its output and exit code are recorded. */
export async function run(request: ExecRequest, context: Context): Promise<ExitName> {
  const { pattern, command, timeoutMs, raw } = request;
  const { hosts } = await loadFleet(request, context, pattern);
  return queryHosts<ExecAnswer>(
    {
      kind: 'exec',
      hosts,
      request,
      shape: execJson,
      beginsWithLogin: true,
      isWell: endedSilently,
      render: (rows, output) => renderExec(rows, { output, raw }),
      query: async (readOnly) => {
        const rows: ExecOutcome[] = [];
        const onResult = (result: ExecOutcome): void => void rows.push(result);
        await execOnHosts(hosts, { ...readOnly, outputLimitBytes, timeoutMs, command, onResult });
        const good = rows.filter((row) => 'exitCode' in row && row.exitCode === 0).length;
        return { rows, exitName: fanOutExit(rows), counts: { ok: good, failed: rows.length - good } };
      },
    },
    context,
  );
}

/** What a command printed was asked for; that it succeeded needs no line. */
function endedSilently(row: ExecAnswer): boolean {
  return !('error' in row) && row.exitCode === 0 && row.stdout.length + row.stderr.length + row.truncatedBytes === 0;
}

/** Before `--` there may be a pattern of hosts; without a `--` all words are the command. */
function readWords({
  arguments: words,
  afterDashes = words.length,
}: Invocation): Pick<ExecRequest, 'pattern' | 'command'> {
  const before = Math.max(0, words.length - afterDashes);
  const [pattern = 'all', ...others] = words.slice(0, before);
  const command = words.slice(before).join(' ');
  if (command.trim() === '' || others.length > 0) {
    throw new FettleError(
      'usage',
      others.length > 0 ? 'there is more than one word before --' : 'there is no command to run',
      {
        hint: "write one pattern of hosts before -- and the command after it: fettle exec 'web:db' -- uname -r",
      },
    );
  }
  return { pattern, command };
}
