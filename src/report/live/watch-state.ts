// The state of watched hosts; pure.
import { formatDuration } from '../../base/format.ts';

/** The answer to one ping, as the engine returns it. */
export interface WatchLook {
  readonly host: string;
  readonly state: 'up' | 'starting' | 'down' | 'refused';
  readonly atMs: number;
  readonly bootId?: string;
  readonly bootedMs?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface WatchRow {
  readonly host: string;
  readonly state: WatchLook['state'] | 'unseen';
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

export function unseen(hosts: readonly string[]): WatchRows {
  return new Map(hosts.map((host) => [host, { host, state: 'unseen', reboots: 0 }]));
}

/** Records one answer; returns the change if it was one. */
export function takeIn(rows: WatchRows, look: WatchLook): WatchChange | undefined {
  const before = rows.get(look.host) ?? { host: look.host, state: 'unseen', reboots: 0 };
  const isRebooted = before.bootId !== undefined && look.bootId !== undefined && before.bootId !== look.bootId;
  const isSame = before.state === look.state;
  const bootId = look.bootId ?? before.bootId;
  // Clocks tick between the two numbers it is made of: within one boot the first reading stays.
  const bootedMs = bootId === before.bootId ? (before.bootedMs ?? look.bootedMs) : look.bootedMs;
  const row: WatchRow = {
    host: look.host,
    state: look.state,
    sinceMs: isSame && !isRebooted ? (before.sinceMs ?? look.atMs) : look.atMs,
    reboots: before.reboots + (isRebooted ? 1 : 0),
    ...(bootId === undefined ? {} : { bootId }),
    ...(bootedMs === undefined ? {} : { bootedMs }),
    ...(look.error === undefined ? {} : { message: `${look.error.code}: ${look.error.message}` }),
  };
  rows.set(look.host, row);
  if (isSame && !isRebooted) return undefined;
  return { atMs: look.atMs, row, words: wordsOf(before, row, { atMs: look.atMs, isRebooted }) };
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
