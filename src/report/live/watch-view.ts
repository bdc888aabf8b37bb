// The view of `ping --watch`: a table redrawn in place on a terminal, a line for each change elsewhere.
import { formatAge, formatDuration, isoTime } from '../../base/format.ts';
import { cleanLine } from '../../base/text.ts';
import { jsonRow, jsonTime, safeJson, type JsonShape } from '../text/json.ts';
import type { Output } from '../text/output.ts';
import { Picture } from '../text/picture.ts';
import { renderTable, type Column } from '../text/table.ts';
import {
  isMissing,
  recordAnswer,
  unknownRows,
  type WatchChange,
  type WatchAnswer,
  type WatchRow,
} from './watch-state.ts';

const redrawMs = 500;

export const watchJson: JsonShape<WatchRow> = {
  name: 'ping-watch',
  list: 'hosts',
  version: 1,
  fields: {
    host: (row) => row.host,
    state: (row) => row.state,
    since: (row) => jsonTime(row.sinceMs),
    bootId: (row) => row.bootId,
    bootedAt: (row) => jsonTime(row.bootedMs),
    reboots: (row) => row.reboots,
    message: (row) => row.message,
  },
};

export interface WatchView extends Disposable {
  record(answer: WatchAnswer): void;
  /** As they stand, in the order of the hosts. */
  rows(): readonly WatchRow[];
}

/** `lines`: each change as text; `jsonl`: each as one JSON line; `none`: nothing before the end. */
export type WatchStyle = 'lines' | 'jsonl' | 'none';

export function openWatchView(hosts: readonly string[], output: Output, style: WatchStyle): WatchView {
  const rows = unknownRows(hosts);
  const isLive = style === 'lines' && output.canRedraw && output.stdout.isTty;
  const picture = isLive ? openPicture(() => [...rows.values()], output) : undefined;
  return {
    record: (answer) => {
      const change = recordAnswer(rows, answer);
      if (change === undefined || isLive || style === 'none') return;
      output.stdout.write(style === 'jsonl' ? jsonLine(change) : textLine(change));
    },
    rows: () => [...rows.values()],
    [Symbol.dispose]: () => picture?.[Symbol.dispose](),
  };
}

function openPicture(rows: () => readonly WatchRow[], output: Output): Disposable {
  const picture = new Picture(output.screen);
  const timer = output.every(redrawMs, () => picture.draw(renderPicture(rows(), output)));
  const hold = output.holdScreen({
    around: (write) => {
      picture.clear();
      write();
    },
    lost: () => picture.forget(),
  });
  return {
    [Symbol.dispose]: () => {
      timer[Symbol.dispose]();
      picture.clear();
      hold[Symbol.dispose]();
    },
  };
}

/** As many lines as the terminal has, whoever is missing first. */
function renderPicture(rows: readonly WatchRow[], output: Output): string {
  const sorted = [...rows.filter(isMissing), ...rows.filter((row) => !isMissing(row))];
  const room = Math.max(1, output.stderr.rows() - 3);
  const shown = sorted.slice(0, room);
  const table = renderWatch(shown, output).trimEnd();
  return shown.length === rows.length ? table : `${table}\nand ${rows.length - shown.length} more`;
}

function textLine({ atMs, row, words }: WatchChange): string {
  const booted = row.bootedMs === undefined ? '' : isoTime(row.bootedMs);
  return `${[isoTime(atMs), row.host, row.state, booted, words].map(cleanLine).join('\t')}\n`;
}

function jsonLine({ atMs, row, words }: WatchChange): string {
  return `${safeJson({ at: jsonTime(atMs), ...jsonRow(watchJson, row), words })}\n`;
}

export function renderWatch(rows: readonly WatchRow[], output: Output): string {
  const nowMs = output.clock.now();
  const columns: readonly Column<WatchRow>[] = [
    { title: 'HOST', text: (row) => row.host },
    {
      title: 'STATE',
      text: (row) => row.state,
      paint: (text, row, paint) => (row.state === 'up' ? paint.green : isMissing(row) ? paint.red : paint.yellow)(text),
    },
    {
      title: 'SINCE',
      text: (row) => (row.sinceMs === undefined ? '' : formatAge(row.sinceMs, nowMs)),
      plain: (row) => (row.sinceMs === undefined ? '' : isoTime(row.sinceMs)),
    },
    {
      title: 'BOOTED',
      text: (row) => (row.bootedMs === undefined ? '' : isoTime(row.bootedMs).slice(0, 16).replace('T', ' ')),
      plain: (row) => (row.bootedMs === undefined ? '' : isoTime(row.bootedMs)),
    },
    {
      title: 'UPTIME',
      text: (row) => uptimeText(row, nowMs),
      plain: (row) =>
        isMissing(row) || row.bootedMs === undefined ? '' : String(Math.round((nowMs - row.bootedMs) / 1_000)),
      align: 'right',
    },
    { title: 'REBOOTS', text: (row) => (row.reboots === 0 ? '' : String(row.reboots)), align: 'right' },
    { title: 'REMARKS', text: (row) => row.message ?? '', narrow: 'wrap' },
  ];
  return renderTable(columns, rows, { output, empty: 'no hosts' });
}

function uptimeText(row: WatchRow, nowMs: number): string {
  return isMissing(row) || row.bootedMs === undefined ? '' : formatDuration(nowMs - row.bootedMs);
}
