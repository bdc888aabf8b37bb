import { verdicts } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import type { Budget, BudgetClass } from './playbook.ts';
import { allowedFailures } from './wave.ts';

/** What the outcome spends of a budget; undefined = nothing. A state the playbook's own mode asked for spends nothing. */
export function budgetClass({ verdict, followsFromMode }: Outcome): BudgetClass | undefined {
  return followsFromMode === true ? undefined : verdicts[verdict].budget;
}

export interface BudgetState {
  readonly spent: number;
  /** `Infinity` for a budget without limits. */
  readonly allowed: number;
  /** True once more is spent than allowed: exactly the allowed number is still within it. */
  readonly isExceeded: boolean;
  /** Every class that occurred, counted by this budget or not. */
  readonly byClass: Readonly<Record<BudgetClass, number>>;
}

export type BudgetCounts = Record<BudgetClass, number>;

export function countBudget(outcomes: Iterable<Outcome>): BudgetCounts {
  const counts: BudgetCounts = { failed: 0, unreachable: 0, unverified: 0, drifted: 0 };
  for (const outcome of outcomes) addToBudget(counts, outcome);
  return counts;
}

export function addToBudget(counts: BudgetCounts, outcome: Outcome): void {
  const spends = budgetClass(outcome);
  if (spends !== undefined) counts[spends] += 1;
}

/** `hosts` is the denominator of `percent`: all hosts of the run or wave, not those already done. */
export function judgeBudget(budget: Budget, hosts: number, counts: Readonly<BudgetCounts>): BudgetState {
  const spent = [...new Set(budget.counts)].reduce((sum, name) => sum + counts[name], 0);
  const allowed = allowedFailures(budget, hosts);
  return { spent, allowed, isExceeded: spent > allowed, byClass: { ...counts } };
}
