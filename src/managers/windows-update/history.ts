import type { HistoryEntry } from '../../domain/scan.ts';
import { describeHResult } from './hresult.ts';
import { momentAt, numberAt, textAt } from '../contract/json.ts';
import type { HostObject } from '../contract/json.ts';

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** UpdateOperation of wuapi.h. */
const operations: Readonly<Record<number, HistoryEntry['operation']>> = { 1: 'install', 2: 'uninstall' };
/** OperationResultCode of wuapi.h. */
const results: Readonly<Record<number, HistoryEntry['result']>> = {
  2: 'succeeded',
  3: 'partly',
  4: 'failed',
  5: 'aborted',
};

/** As the agent reports it; an entry without a time still shows that something was installed. */
export type WindowsHistoryEntry = Omit<HistoryEntry, 'atMs'> & { readonly atMs: number | undefined };

/** What has a time and may be kept. */
export function datedHistory(entries: readonly WindowsHistoryEntry[]): readonly HistoryEntry[] {
  return entries.flatMap(({ atMs, ...entry }) => (atMs === undefined ? [] : [{ ...entry, atMs }]));
}

/** One entry of IUpdateHistoryEntry; without an identity it is left out. */
export function readHistory(record: HostObject): WindowsHistoryEntry[] {
  const [id, revision] = [textAt(record, 'id').toLowerCase(), numberAt(record, 'revision')];
  if (!guid.test(id) || revision === undefined) return [];
  const title = textAt(record, 'title');
  const kb = /\bKB(\d{4,9})\b/.exec(title)?.[1];
  const result = results[numberAt(record, 'resultCode') ?? 0] ?? 'unknown';
  const message = result === 'succeeded' ? undefined : describeCode(textAt(record, 'code'));
  return [
    {
      id,
      revision,
      name: kb === undefined ? id : `KB${kb}`,
      title,
      operation: operations[numberAt(record, 'operation') ?? 0] ?? 'other',
      result,
      ...(message === undefined ? {} : { message }),
      client: textAt(record, 'client'),
      atMs: momentAt(record, 'at'),
    },
  ];
}

function describeCode(code: string): string | undefined {
  const known = describeHResult(code);
  return known === undefined ? undefined : `${known.code} ${known.meaning}`;
}
