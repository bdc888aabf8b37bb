// Hosts of which a report cannot be sure, in words, as a table and as JSON: the same in every report.
import { formatAge, isoTime } from '../../base/format.ts';
import { countedHostNames } from '../../base/host-names.ts';
import { stateOf } from '../../domain/host-state.ts';
import type { HostStatusRow, ScannedStatus } from '../../domain/report.ts';
import { jsonTime, type JsonShape } from '../text/json.ts';
import type { Output } from '../text/output.ts';
import { renderTable, type Column } from '../text/table.ts';

export type ScannedHost = HostStatusRow & ScannedStatus;

export function isScanned(row: HostStatusRow): row is ScannedHost {
  return row.scannedMs !== undefined;
}

/** Everything that makes the row uncertain; empty where nothing does. `time` writes a moment. */
export function doubtWords(row: HostStatusRow, time: (ms: number) => string): string {
  const { unreachableSinceMs, failedSinceMs, lastFailure = '' } = row;
  return [
    ...(isScanned(row) ? [] : [`never scanned${selectionWords(row)}`]),
    ...(unreachableSinceMs === undefined ? [] : [`unreachable since ${time(unreachableSinceMs)}: ${lastFailure}`]),
    ...(failedSinceMs === undefined ? [] : [`scans have failed since ${time(failedSinceMs)}: ${lastFailure}`]),
    ...(isScanned(row) && row.isIncomplete ? ['incomplete: updates may be missing'] : []),
    ...(isScanned(row) && row.isOld ? ['stale: the scan is old'] : []),
    ...(isScanned(row) && row.isStale ? ['stale: its package metadata was old'] : []),
  ].join('; ');
}

/** Why nothing was asked of a host that was never scanned, where that is known. */
function selectionWords({ firstSeenMs, selectedBy }: HostStatusRow): string {
  if (firstSeenMs === undefined) return ': no run selected it';
  return selectedBy === undefined ? '' : `: selected by run ${selectedBy}, not contacted`;
}

/** Where a pipe has a row for each such host: since when it is so, as far as that is known. ISO 8601. */
export function doubtSince({ unreachableSinceMs, failedSinceMs, scannedMs, firstSeenMs }: HostStatusRow): string {
  const sinceMs = unreachableSinceMs ?? failedSinceMs ?? scannedMs ?? firstSeenMs;
  return sinceMs === undefined ? 'never' : isoTime(sinceMs);
}

interface Doubt {
  readonly hosts: readonly string[];
  readonly example: HostStatusRow;
}

function foldDoubts(rows: readonly HostStatusRow[], time: (ms: number) => string): Doubt[] {
  const groups = Map.groupBy(rows, (row) => JSON.stringify([stateOf(row), doubtWords(row, time)]));
  return [...groups.values()].flatMap((group) => {
    const [example] = group;
    return example === undefined ? [] : [{ hosts: group.map((row) => row.host), example }];
  });
}

/** For a terminal, below the answer itself; nothing where there is no doubt. */
export function renderDoubts(
  rows: readonly HostStatusRow[],
  { output, nowMs }: { readonly output: Output; readonly nowMs: number },
): string {
  if (rows.length === 0) return '';
  const time = (ms: number): string => formatAge(ms, nowMs);
  const columns: readonly Column<Doubt>[] = [
    { title: 'HOSTS', text: ({ hosts }) => countedHostNames(hosts), narrow: 'wrap' },
    {
      title: 'STATE',
      text: ({ example }) => stateOf(example),
      paint: (text, _row, paint) => paint.yellow(text),
    },
    { title: 'SCANNED', text: ({ example }) => (isScanned(example) ? time(example.scannedMs) : 'never') },
    { title: 'REMARKS', text: ({ example }) => doubtWords(example, time), narrow: 'wrap' },
  ];
  const table = renderTable(columns, foldDoubts(rows, time), { output, empty: '' });
  return `\n${output.stdout.paint.bold('Uncertain')}\n${table}`;
}

/** `uncertain` of the JSON documents of reports. */
export const doubtsJson: JsonShape<HostStatusRow> = {
  name: 'report-uncertain',
  list: 'uncertain',
  version: 1,
  fields: {
    host: (row) => row.host,
    hostId: (row) => row.hostId,
    state: stateOf,
    unreachableSince: (row) => jsonTime(row.unreachableSinceMs),
    failedSince: (row) => jsonTime(row.failedSinceMs),
    lastFailure: (row) => row.lastFailure,
    selectedBy: (row) => row.selectedBy,
    scannedAt: (row) => jsonTime(row.scannedMs),
    isOld: (row) => (isScanned(row) ? row.isOld : null),
    isStale: (row) => (isScanned(row) ? row.isStale : null),
    isIncomplete: (row) => (isScanned(row) ? row.isIncomplete : null),
  },
};
