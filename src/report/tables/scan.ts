// What `ping` and `scan` found, host by host.
import { formatAge, formatDuration, formatTime, isoTime } from '../../base/format.ts';
import type { HostSummary } from '../../domain/scan.ts';
import { jsonTime, type JsonShape } from '../text/json.ts';
import type { Output } from '../text/output.ts';
import type { ReportedError, ScanRow } from './scan-row.ts';
import { renderTable, type Column } from '../text/table.ts';

/** An answer with what stands in the way of work; the engine's ping results are of this shape. */
export type PingAnswer = { readonly host: { readonly name: string } } & (
  | { readonly summary: HostSummary; readonly tookMs: number; readonly warnings: readonly string[] }
  | { readonly error: ReportedError }
);

export interface PingRow {
  readonly host: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly tookMs?: number;
  readonly user?: string;
  readonly osName?: string;
  readonly bootedMs?: number;
  readonly uptimeSec?: number;
  /** `connect`, `auth`, …; only of a failure. */
  readonly code?: string;
  readonly messages: readonly string[];
  readonly hint?: string;
}

export function pingRow(answer: PingAnswer): PingRow {
  const host = answer.host.name;
  if ('summary' in answer) {
    const { summary, tookMs, warnings } = answer;
    const { privileges, facts, collectedMs } = summary;
    const { uptimeSec } = facts;
    const boot = uptimeSec === undefined ? {} : { uptimeSec, bootedMs: collectedMs - uptimeSec * 1_000 };
    const row = { host, tookMs, user: privileges.user, osName: facts.osName, ...boot, messages: warnings } as const;
    return { ...row, state: warnings.length === 0 ? 'ok' : 'warning' };
  }
  const { code, message, hint } = answer.error;
  return { host, state: 'failed', code, messages: [message], ...(hint === undefined ? {} : { hint }) };
}

export const pingJson: JsonShape<PingRow> = {
  name: 'ping',
  list: 'hosts',
  version: 1,
  fields: {
    host: (row) => row.host,
    state: (row) => row.state,
    tookMs: (row) => row.tookMs,
    user: (row) => row.user,
    osName: (row) => row.osName,
    bootedAt: (row) => jsonTime(row.bootedMs),
    uptimeSec: (row) => row.uptimeSec,
    code: (row) => row.code,
    messages: (row) => row.messages,
    hint: (row) => row.hint,
  },
};

export function renderPing(rows: readonly PingRow[], output: Output): string {
  const columns: readonly Column<PingRow>[] = [
    { title: 'HOST', text: (row) => row.host },
    {
      title: 'STATE',
      text: (row) => row.code ?? row.state,
      paint: (text, row, paint) =>
        (row.state === 'ok' ? paint.green : row.state === 'failed' ? paint.red : paint.yellow)(text),
    },
    {
      title: 'TIME',
      text: (row) => (row.tookMs === undefined ? '' : `${row.tookMs} ms`),
      plain: (row) => String(row.tookMs ?? ''),
      align: 'right',
    },
    { title: 'USER', text: (row) => row.user ?? '' },
    { title: 'SYSTEM', text: (row) => row.osName ?? '', narrow: 'cut' },
    {
      title: 'BOOTED',
      text: (row) => (row.bootedMs === undefined ? '' : formatTime(row.bootedMs)),
      plain: (row) => (row.bootedMs === undefined ? '' : isoTime(row.bootedMs)),
    },
    {
      title: 'UPTIME',
      text: (row) => (row.uptimeSec === undefined ? '' : formatDuration(row.uptimeSec * 1_000)),
      plain: (row) => String(row.uptimeSec ?? ''),
      align: 'right',
    },
    {
      title: 'REMARKS',
      text: (row) => [...row.messages, ...(row.hint === undefined ? [] : [`hint: ${row.hint}`])].join('; '),
      narrow: 'wrap',
    },
  ];
  return renderTable(columns, rows, { output, empty: 'no hosts' });
}

type Scanned = Extract<ScanRow, { readonly state: 'scanned' }>;

/** A field of scanned hosts; null of those that could not be. */
function ofScanned(read: (row: Scanned) => unknown): (row: ScanRow) => unknown {
  return (row) => (row.state === 'scanned' ? read(row) : null);
}

export const scanJson: JsonShape<ScanRow> = {
  name: 'scan',
  list: 'hosts',
  version: 1,
  fields: {
    host: (row) => row.host,
    state: (row) => row.state,
    problem: (row) => (row.state === 'failed' ? row.problem : null),
    osName: ofScanned((row) => row.osName),
    kernel: ofScanned((row) => row.kernel),
    security: ofScanned((row) => (row.securityKnown ? row.security : null)),
    securityKnown: ofScanned((row) => row.securityKnown),
    other: ofScanned((row) => row.other),
    heldBack: ofScanned((row) => row.heldBack),
    isStale: ofScanned((row) => row.isStale),
    isIncomplete: ofScanned((row) => row.isIncomplete),
    metadataFetchedAt: ofScanned((row) => jsonTime(row.metadataFetchedMs)),
    reboot: ofScanned((row) => row.rebootNeeded),
    rebootReasons: ofScanned((row) => row.rebootReasons),
    broken: ofScanned((row) => row.broken),
    problems: ofScanned((row) => row.problems),
    updates: ofScanned((row) => row.updates.map((update) => ({ ...update, heldBack: update.heldBack ?? null }))),
  },
};

export function renderScan(rows: readonly ScanRow[], output: Output): string {
  return renderTable(scanColumns(output.clock.now()), rows, { output, empty: 'no hosts' });
}

function scanColumns(nowMs: number): readonly Column<ScanRow>[] {
  const number = (title: string, read: (row: Scanned) => number | string): Column<ScanRow> => ({
    title,
    text: (row) => (row.state === 'scanned' ? String(read(row)) : '-'),
    align: 'right',
  });
  return [
    { title: 'HOST', text: (row) => row.host },
    { title: 'SYSTEM', text: (row) => (row.state === 'scanned' ? row.osName : '-'), narrow: 'cut' },
    {
      ...number('SECURITY', (row) => (row.securityKnown ? row.security : 'unknown')),
      paint: (text, row, paint) =>
        row.state === 'scanned' && row.securityKnown && row.security === 0 ? text : paint.red(text),
    },
    number('OTHER', (row) => (row.isIncomplete ? `${row.other}+` : row.other)),
    number('HELD', (row) => row.heldBack),
    {
      title: 'METADATA',
      text: (row) => (row.state === 'scanned' ? metadataText(row, nowMs) : '-'),
      plain: (row) => (row.state === 'scanned' ? plainMetadata(row) : ''),
      paint: (text, row, paint) => (row.state === 'scanned' && row.isStale ? paint.yellow(text) : text),
    },
    {
      title: 'REBOOT',
      text: (row) => (row.state === 'scanned' ? row.rebootNeeded : '-'),
      paint: (text, _row, paint) => (text === 'yes' ? paint.yellow(text) : text),
    },
    { title: 'REMARKS', text: remarks, narrow: 'wrap' },
  ];
}

function metadataText(row: Scanned, nowMs: number): string {
  const age = row.metadataFetchedMs === undefined ? 'never fetched' : formatAge(row.metadataFetchedMs, nowMs);
  return row.isStale ? `${age}, stale` : age;
}

function plainMetadata(row: Scanned): string {
  const time = row.metadataFetchedMs === undefined ? 'never' : isoTime(row.metadataFetchedMs);
  return row.isStale ? `${time} stale` : time;
}

function remarks(row: ScanRow): string {
  if (row.state === 'failed') {
    const { code, message, hint } = row.problem;
    return `${code}: ${message}${hint === undefined ? '' : `; hint: ${hint}`}`;
  }
  const broken = row.broken === 0 ? [] : [`${row.broken} packages not properly installed`];
  return [...broken, ...row.problems].join('; ');
}
