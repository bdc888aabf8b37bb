import type { OutputStream } from '../text/output.ts';
import type { RunProgress } from '../run/progress.ts';
import { renderSummary, summaryOf } from '../run/summary.ts';
import { isBad } from '../run/verdicts.ts';

/**
 * What is printed at the end. A rollout gets its summary; a run of queries, whose command prints a table of its own, only
 * what went wrong and one line. Empty when nothing happened at all.
 */
export function endText(state: RunProgress, stream: OutputStream): string {
  if (state.startedMs === undefined) return '';
  const summary = summaryOf(state);
  const isRollout = ['apply', 'reboot', 'shutdown', 'verify'].includes(summary.kind);
  const shown = isRollout ? summary.hosts : summary.hosts.filter(({ standing }) => isBad(standing));
  return renderSummary(summary, stream, shown);
}

/** Ended as asked for: exit 0, `changes` (which is no fault), or an exit name that counts as good. */
export function isWellEnded(state: RunProgress, accepted: readonly string[]): boolean {
  const { finished } = state;
  if (finished === undefined) {
    const isOver = [...state.hosts.values()].every(({ phase, outcome }) => {
      return phase === 'done' && (outcome === undefined || !isBad(outcome.verdict));
    });
    return isOver && state.detached === undefined;
  }
  return finished.exitCode === 0 || finished.exitName === 'changes' || accepted.includes(finished.exitName);
}
