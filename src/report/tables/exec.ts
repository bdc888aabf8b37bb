// Output of commands: equal output of several hosts is printed once, as clush -b does.
import { countedHostNames } from '../../base/host-names.ts';
import { cleanBlock, cleanLine } from '../../base/text.ts';
import type { LogRow } from '../../domain/report.ts';
import { formatTime } from '../../base/format.ts';
import type { JsonShape } from '../text/json.ts';
import type { Output } from '../text/output.ts';
import type { ReportedError } from './scan-row.ts';

/** How a command ended on one host; the engine's results are of this shape. */
export type ExecAnswer =
  | {
      readonly host: { readonly name: string };
      readonly exitCode: number | null;
      readonly stdout: Uint8Array;
      readonly stderr: Uint8Array;
      readonly truncatedBytes: number;
    }
  | { readonly host: { readonly name: string }; readonly error: ReportedError };

interface Group {
  readonly hosts: string[];
  readonly answer: ExecAnswer;
}

function groupAnswers(answers: readonly ExecAnswer[]): Group[] {
  const groups = new Map<string, Group>();
  for (const answer of answers) {
    const key =
      'error' in answer
        ? JSON.stringify([answer.error.code, answer.error.message])
        : JSON.stringify([answer.exitCode, answer.truncatedBytes, base64(answer.stdout), base64(answer.stderr)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { hosts: [answer.host.name], answer });
    else group.hosts.push(answer.host.name);
  }
  // The most frequent output first; failures last, next to the prompt.
  return [...groups.values()].sort((a, b) => weight(a) - weight(b) || b.hosts.length - a.hosts.length);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function weight({ answer }: Group): number {
  return 'error' in answer ? 2 : answer.exitCode === 0 ? 0 : 1;
}

/**
 * What goes to stdout for `exec`. With `raw`, and only where stdout is no terminal, the bytes as they came; then
 * headers are left out where the output of all hosts is equal.
 */
export function renderExec(
  answers: readonly ExecAnswer[],
  { output, raw }: { readonly output: Output; readonly raw: boolean },
): string | Uint8Array {
  const groups = groupAnswers(answers);
  if (raw && !output.stdout.isTty) return rawBytes(groups);
  return groups.map((group) => groupText(group, output)).join('');
}

function rawBytes(groups: readonly Group[]): Uint8Array {
  return Buffer.concat(
    groups.flatMap(({ hosts, answer }) => {
      const header = groups.length === 1 ? [] : [Buffer.from(`--- ${cleanLine(countedHostNames(hosts))}\n`)];
      return 'error' in answer
        ? [...header, Buffer.from(`${answer.error.message}\n`)]
        : [...header, answer.stdout, answer.stderr];
    }),
  );
}

function groupText({ hosts, answer }: Group, { stdout: { paint } }: Output): string {
  const names = cleanLine(countedHostNames(hosts));
  if ('error' in answer) {
    const { code, message, hint } = answer.error;
    const more = hint === undefined ? '' : `hint: ${cleanLine(hint)}\n`;
    return `${paint.red(`--- ${names}  ${code}`)}\n${cleanLine(message)}\n${more}`;
  }
  const { exitCode, stdout, stderr, truncatedBytes } = answer;
  const end = exitCode === null ? 'killed' : `exit ${exitCode}`;
  const header = exitCode === 0 ? paint.bold(`--- ${names}`) : paint.red(`--- ${names}  ${end}`);
  const errors = stderr.length === 0 ? '' : `${paint.dim('stderr:')}\n${blockText(stderr)}`;
  const cut = truncatedBytes === 0 ? '' : `${paint.yellow(`… ${truncatedBytes} more bytes were not kept`)}\n`;
  return `${header}\n${blockText(stdout)}${errors}${cut}`;
}

/** Neutralised, and ended by a line feed unless empty. */
function blockText(bytes: Uint8Array): string {
  const text = cleanBlock(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

export const execJson: JsonShape<ExecAnswer> = {
  name: 'exec',
  list: 'hosts',
  version: 1,
  fields: {
    host: (row) => row.host.name,
    exitCode: (row) => ('error' in row ? null : row.exitCode),
    stdout: (row) => ('error' in row ? null : Buffer.from(row.stdout).toString('utf8')),
    stderr: (row) => ('error' in row ? null : Buffer.from(row.stderr).toString('utf8')),
    truncatedBytes: (row) => ('error' in row ? null : row.truncatedBytes),
    error: (row) =>
      'error' in row ? { code: row.error.code, message: row.error.message, hint: row.error.hint ?? null } : null,
  },
};

/** `run logs`: what each step printed; `raw` as in `renderExec`. */
export function renderLogs(
  rows: readonly LogRow[],
  { output, raw }: { readonly output: Output; readonly raw: boolean },
): string | Uint8Array {
  if (raw && !output.stdout.isTty) return Buffer.concat(rows.flatMap((row) => row.output ?? []));
  return rows.map((row) => logText(row, output)).join('');
}

function logText(row: LogRow, { stdout: { paint } }: Output): string {
  const { step, name, attempt, startedMs, ok, message, output } = row;
  const end = ok === undefined ? 'open' : ok ? 'ok' : 'failed';
  const title = `--- ${step}${name === undefined ? '' : ` "${cleanLine(name)}"`}  attempt ${attempt}  ${formatTime(startedMs)}  ${end}`;
  const note = message === undefined ? '' : `${cleanLine(message)}\n`;
  return `${ok === false ? paint.red(title) : paint.bold(title)}\n${note}${output === undefined ? '' : blockText(output)}`;
}
