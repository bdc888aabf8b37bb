// What is known about a host, and how certain that is: one rule for every report.
import { worstExit, type ExitName } from './exit.ts';
import type { HostStatusRow } from './report.ts';

/**
 * `scanned`: its latest scan is complete, recent, and was made from fresh package metadata. Every other state means
 * that the content of the ledger may be out of date, or that there is none:
 * - `unreachable`: no connection since the last scan, or ever;
 * - `scan failed`: reached since then, but without an answer;
 * - `never scanned`: not queried yet, or the run ended before its turn;
 * - `incomplete`: the search for updates brought only a part;
 * - `stale`: the scan is old, or the host's package metadata was when it was scanned.
 */
export type HostState = 'unreachable' | 'scan failed' | 'never scanned' | 'incomplete' | 'stale' | 'scanned';

export function stateOf(row: HostStatusRow): HostState {
  if (row.unreachableSinceMs !== undefined) return 'unreachable';
  if (row.failedSinceMs !== undefined) return 'scan failed';
  if (row.scannedMs === undefined) return 'never scanned';
  if (row.isIncomplete) return 'incomplete';
  return row.isOld || row.isStale ? 'stale' : 'scanned';
}

/** True where a report about the host may be wrong or has no data. */
export function isInDoubt(row: HostStatusRow): boolean {
  return stateOf(row) !== 'scanned';
}

const exits: Readonly<Record<HostState, ExitName>> = {
  unreachable: 'unreachable',
  'scan failed': 'unverified',
  'never scanned': 'unverified',
  incomplete: 'unverified',
  stale: 'unverified',
  scanned: 'ok',
};

/**
 * How a report exits with `--detailed-exitcode`, by the same order as a scan: hosts without an answer, then what is to be
 * done, then answers that are stale.
 */
export function reportExit(rows: readonly HostStatusRow[], hasWork: boolean): ExitName {
  const states = rows.map(stateOf);
  const unanswered = worstExit(states.filter((state) => state !== 'stale').map((state) => exits[state]));
  if (unanswered !== 'ok') return unanswered;
  if (hasWork) return 'changes';
  return worstExit(states.map((state) => exits[state]));
}
