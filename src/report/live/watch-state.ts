// The state of watched hosts; pure.
import { formatDuration } from '../../base/format.ts';

/** The answer to one ping, as the engine returns it. */
export interface WatchAnswer {
  readonly host: string;
  readonly state: 'up' | 'starting' | 'down' | 'refused';
  readonly atMs: number;
  readonly bootId?: string;
  readonly bootedMs?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface WatchRow {
  readonly host: string;
  readonly state: WatchAnswer['state'] | 'unseen';
  /** In this state since then, as far as it was watched. */
  readonly sinceMs?: number;
  readonly bootId?: string;
  readonly bootedMs?: number;
  /** Boots while it was watched. */
  readonly reboots: number;
  /** Of a host that does not answer, or lets nobody in. */
  readonly message?: string;
}

export interface WatchChange {
  readonly atMs: number;
  readonly row: WatchRow;
  /** What is new, in words. */
  readonly words: string;
}

export type WatchRows = Map<string, WatchRow>;

export function unknownRows(hosts: readonly string[]): WatchRows {
  return new Map(hosts.map((host) => [host, { host, state: 'unseen', reboots: 0 }]));
}

/** Records one answer; returns the change if it was one. */
export function recordAnswer(rows: WatchRows, answer: WatchAnswer): WatchChange | undefined {
  const before = rows.get(answer.host) ?? { host: answer.host, state: 'unseen', reboots: 0 };
  const isRebooted = before.bootId !== undefined && answer.bootId !== undefined && before.bootId !== answer.bootId;
  const isSame = before.state === answer.state;
  const bootId = answer.bootId ?? before.bootId;
  // Clocks tick between the two numbers it is made of: within one boot the first reading stays.
  const bootedMs = bootId === before.bootId ? (before.bootedMs ?? answer.bootedMs) : answer.bootedMs;
  const row: WatchRow = {
    host: answer.host,
    state: answer.state,
    sinceMs: isSame && !isRebooted ? (before.sinceMs ?? answer.atMs) : answer.atMs,
    reboots: before.reboots + (isRebooted ? 1 : 0),
    ...(bootId === undefined ? {} : { bootId }),
    ...(bootedMs === undefined ? {} : { bootedMs }),
    ...(answer.error === undefined ? {} : { message: `${answer.error.code}: ${answer.error.message}` }),
  };
  rows.set(answer.host, row);
  if (isSame && !isRebooted) return undefined;
  return { atMs: answer.atMs, row, words: wordsOf(before, row, { atMs: answer.atMs, isRebooted }) };
}

function wordsOf(
  before: WatchRow,
  row: WatchRow,
  { atMs, isRebooted }: { readonly atMs: number; readonly isRebooted: boolean },
): string {
  const wasAway = before.state === 'down' || before.state === 'refused';
  const after = wasAway && before.sinceMs !== undefined ? `after ${formatDuration(atMs - before.sinceMs)}` : '';
  const rebooted = isRebooted ? 'rebooted' : '';
  return [after, rebooted, row.message ?? ''].filter((part) => part !== '').join(', ');
}

/** Did not return, or was never there. */
export function isMissing({ state }: WatchRow): boolean {
  return state === 'down' || state === 'refused' || state === 'unseen';
}
