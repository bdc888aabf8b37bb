// `run list` and `run show`.
import { formatDuration, formatTime, isoTime } from '../../base/format.ts';
import { countedHostNames } from '../../base/host-names.ts';
import { cleanLine } from '../../base/text.ts';
import type { HostRunRow, RunDetail, RunRow, UpdateResultRow } from '../../domain/report.ts';
import type { Output } from '../text/output.ts';
import { packageWords } from '../text/package-text.ts';
import { renderRecord } from '../text/key-value-list.ts';
import { addressOf } from '../../domain/error.ts';
import { otherHosts, renderSummary, type Summary, type SummaryHost } from '../run/summary.ts';
import { renderTable, type Column } from '../text/table.ts';
import { sortedCounts } from '../run/verdicts.ts';
import { packageLabel } from '../../domain/update.ts';

export function renderRunList(rows: readonly RunRow[], output: Output): string {
  const columns: readonly Column<RunRow>[] = [
    { title: 'RUN', text: (row) => row.run },
    { title: 'KIND', text: (row) => row.kind },
    { title: 'STARTED', text: (row) => formatTime(row.startedMs), plain: (row) => isoTime(row.startedMs) },
    {
      title: 'TOOK',
      text: tookText,
      plain: (row) => (row.endedMs === undefined ? '' : String(row.endedMs - row.startedMs)),
      align: 'right',
    },
    { title: 'BY', text: (row) => whoText(row), narrow: 'cut' },
    { title: 'HOSTS', text: (row) => String(row.hosts.length + otherHosts(row).length), align: 'right' },
    {
      title: 'EXIT',
      text: exitText,
      paint: (text, row, paint) =>
        (row.exitCode === 0 ? paint.green : row.exitCode === undefined ? paint.yellow : paint.red)(text),
    },
    { title: 'COUNTS', text: (row) => countsText(row.counts), narrow: 'wrap' },
  ];
  return renderTable(columns, rows, { output, empty: 'no runs recorded' });
}

function tookText({ startedMs, endedMs }: RunRow): string {
  return endedMs === undefined ? '-' : formatDuration(endedMs - startedMs);
}

function exitText({ exitCode, exitName }: RunRow): string {
  return exitCode === undefined ? 'open' : `${exitCode} ${exitName ?? ''}`.trimEnd();
}

/** What the kernel kept comes first; what the environment claims is named as that. */
function whoText({ operator }: RunRow): string {
  const { user, loginUid, loginName, sudoUser, loginUser, controller } = operator;
  const login = loginUid === undefined ? undefined : (loginName ?? `uid ${loginUid}`);
  const claimed = sudoUser === undefined || sudoUser === login ? '' : ` (SUDO_USER ${sudoUser})`;
  const who = login ?? loginUser;
  return `${who === undefined || who === user ? user : `${who} as ${user}`}@${controller}${claimed}`;
}

function countsText(counts: RunRow['counts']): string {
  return sortedCounts(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

/** `run show`: what it was, its hosts grouped as at its end, then what was installed. */
export function renderRun(detail: RunDetail, output: Output): string {
  return [
    renderHead(detail.run, output),
    section('Waves', waveLines(detail), output),
    `\n${renderSummary(summaryOfDetail(detail), output.stdout)}`,
    section(
      'Findings',
      detail.findings.map((item) => `${item.level}  ${item.host}: ${item.message}`),
      output,
    ),
    section('Reboots', detail.reboots.map(rebootText), output),
    section(
      'Notes',
      detail.notes.map((item) => noteText(item)),
      output,
    ),
    detail.updates.length === 0 ? '' : `\n${title('Updates', output)}${renderUpdateResults(detail.updates, output)}`,
  ].join('');
}

function renderHead(run: RunRow, output: Output): string {
  const { startedMs, endedMs, ticket, reason, playbook, planSha256 } = run;
  return renderRecord(
    [
      ['run', run.run],
      ['kind', run.kind],
      ['started', formatTime(startedMs)],
      [
        'ended',
        endedMs === undefined ? 'not ended' : `${formatTime(endedMs)} (${formatDuration(endedMs - startedMs)})`,
      ],
      ['by', whoText(run)],
      ['playbook', playbook],
      ['plan', planSha256],
      ['ticket', ticket],
      ['reason', reason],
      ['exit', exitText(run)],
    ],
    output,
  );
}

function title(text: string, { stdout }: Output): string {
  return `${stdout.paint.bold(text)}\n`;
}

function section(name: string, lines: readonly string[], output: Output): string {
  if (lines.length === 0) return '';
  return `\n${title(name, output)}${lines.map((line) => `  ${cleanLine(line)}\n`).join('')}`;
}

function waveLines({ waves }: RunDetail): string[] {
  return waves.map(({ name, hosts, startedMs, endedMs }, index) => {
    const took = endedMs === undefined ? 'not over' : formatDuration(endedMs - startedMs);
    return `${index + 1} ${name}  ${countedHostNames(hosts)}  ${formatTime(startedMs)}, ${took}`;
  });
}

function rebootText({ host, atMs, downMs, reasons }: RunDetail['reboots'][number]): string {
  const down = downMs === 0 ? '' : `, down for ${formatDuration(downMs)}`;
  return `${host}  ${formatTime(atMs)}${down}${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`;
}

function noteText({ level, host, message }: RunDetail['notes'][number]): string {
  return `${level}  ${host === undefined ? '' : `${host}: `}${message}`;
}

/** The summary of a recorded run, including hosts that were selected and never started. */
export function summaryOfDetail({ run, hosts }: RunDetail): Summary {
  const { startedMs, endedMs, exitCode, exitName } = run;
  const latest = new Map<string, HostRunRow>();
  for (const row of hosts.toSorted((a, b) => a.attempt - b.attempt)) latest.set(row.host, row);
  const names = new Set([...run.hosts, ...latest.keys()]);
  return {
    run: run.run,
    kind: run.kind,
    hosts: [...[...names].map((host) => summaryHost(host, latest.get(host), run)), ...otherHosts(run)],
    reasons: [],
    warnings: [],
    ...(endedMs === undefined ? {} : { durationMs: endedMs - startedMs }),
    ...(exitCode === undefined ? {} : { exit: { code: exitCode, name: exitName ?? '' } }),
  };
}

/** A query records no outcome for hosts that answered, but a scan or a step; one with neither had no turn. */
function summaryHost(host: string, row: HostRunRow | undefined, run: RunRow): SummaryHost {
  if (row?.verdict === undefined) {
    if (row === undefined) return { host, standing: 'not started' };
    const isQuery = ['scan', 'plan', 'exec', 'wake'].includes(run.kind);
    const isOver = row.endedMs !== undefined || run.endedMs !== undefined;
    return { host, standing: isQuery && isOver ? 'done' : 'in flight' };
  }
  const { verdict, change, reason, hint } = row;
  const address = addressOf(row.error);
  return {
    host,
    standing: verdict,
    ...(change === undefined ? {} : { change }),
    ...(reason === undefined ? {} : { reason }),
    ...(hint === undefined ? {} : { hint }),
    ...(address === undefined ? {} : { address }),
  };
}

/** Results of equal packages fold to one line with their hosts. */
function renderUpdateResults(rows: readonly UpdateResultRow[], output: Output): string {
  const groups = Map.groupBy(rows, ({ name, arch, from, to, now, state }) =>
    JSON.stringify([name, arch, from, to, now, state]),
  );
  const folded = [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [{ ...first, hosts: group.map((row) => row.host) }];
  });
  type Folded = (typeof folded)[number];
  const columns: readonly Column<Folded>[] = [
    { title: 'PACKAGE', text: packageWords, plain: packageLabel, narrow: 'cut' },
    { title: 'FROM', text: (row) => row.from ?? 'new', narrow: 'cut' },
    { title: 'TO', text: (row) => row.to, narrow: 'cut' },
    { title: 'NOW', text: (row) => row.now ?? 'not installed', narrow: 'cut' },
    { title: 'STATE', text: (row) => row.state },
    { title: 'HOSTS', text: (row) => countedHostNames(row.hosts), narrow: 'wrap' },
  ];
  return renderTable(columns, folded, { output, empty: 'nothing was installed' });
}
