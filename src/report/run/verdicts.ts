// Order and colours of outcomes, the same in every report.
import type { ChalkInstance } from 'chalk';
import { verdicts, type Verdict } from '../../domain/outcome.ts';

/** Verdicts, and how hosts end or stand that no outcome was given. */
export type Standing = Verdict | 'done' | 'in flight' | 'not started' | 'nothing to do' | 'absent';

/** Worst first. */
const order: readonly Standing[] = [
  'lost',
  'failed',
  'unhealthy',
  'drifted',
  'unreachable',
  'absent',
  'detached',
  'in flight',
  'pending-reboot',
  'pending-restart',
  'skipped',
  'not started',
  'verified',
  'done',
  'nothing to do',
];

function weighing(...weights: readonly string[]): readonly string[] {
  return Object.entries(verdicts).flatMap(([verdict, { weight }]) => (weights.includes(weight) ? [verdict] : []));
}

const bad: ReadonlySet<string> = new Set([...weighing('bad', 'unfinished'), 'absent']);
const good: ReadonlySet<string> = new Set([...weighing('good'), 'done', 'nothing to do']);

/** Worst first; for sorting. */
export function compareStandings(a: Standing, b: Standing): number {
  return order.indexOf(a) - order.indexOf(b);
}

/** A person has to check the host. */
export function isBad(standing: string): boolean {
  return bad.has(standing);
}

/** Red for bad, green for good, yellow for what is neither; `text` is the standing itself unless given. */
export function paintStanding(standing: string, paint: ChalkInstance, text: string = standing): string {
  if (bad.has(standing)) return paint.red(text);
  return good.has(standing) ? paint.green(text) : paint.yellow(text);
}

/** Counts by name, worst first; names the house does not know come last. */
export function sortedCounts(counts: Readonly<Record<string, number>>): [string, number][] {
  const rank = new Map<string, number>(order.map((name, index) => [name, index]));
  rank.set('pending', rank.get('not started') ?? 0);
  rank.set('idle', rank.get('nothing to do') ?? 0);
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (rank.get(a) ?? order.length) - (rank.get(b) ?? order.length) || (a < b ? -1 : 1));
}
