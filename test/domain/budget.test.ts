import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budgetClass, countBudget, judgeBudget } from '../../src/domain/budget.ts';
import type { Outcome, Verdict } from '../../src/domain/outcome.ts';
import type { BudgetClass } from '../../src/domain/playbook.ts';

function outcome(verdict: Verdict, more: Partial<Outcome> = {}): Outcome {
  return { verdict, change: 'none', reason: '', ...more };
}

const counts = ['failed', 'unreachable', 'unverified', 'drifted'] as const;

test('each verdict spends its own class, and good or untouched hosts spend nothing', () => {
  const expected: readonly (readonly [Verdict, BudgetClass | undefined])[] = [
    ['verified', undefined],
    ['skipped', undefined],
    ['detached', undefined],
    ['failed', 'failed'],
    ['lost', 'failed'],
    ['unreachable', 'unreachable'],
    ['unhealthy', 'unverified'],
    ['pending-reboot', 'unverified'],
    ['pending-restart', 'unverified'],
    ['drifted', 'drifted'],
  ];
  for (const [verdict, spends] of expected) assert.equal(budgetClass(outcome(verdict)), spends, verdict);
});

test("a reboot left pending by the playbook's own mode spends nothing", () => {
  assert.equal(budgetClass(outcome('pending-reboot', { followsFromMode: true })), undefined);
  const state = judgeBudget(
    { max: 0, counts },
    10,
    countBudget([outcome('pending-reboot', { followsFromMode: true })]),
  );
  assert.deepEqual([state.spent, state.isExceeded], [0, false]);
});

test('a budget is spent when it is exceeded, not when it is reached', () => {
  const failures = [outcome('failed'), outcome('unreachable'), outcome('verified')];
  assert.equal(judgeBudget({ max: 2, counts }, 10, countBudget(failures)).isExceeded, false);
  assert.equal(judgeBudget({ max: 1, counts }, 10, countBudget(failures)).isExceeded, true);
});

test('percent is of the hosts selected, rounded down, and the smaller of both limits holds', () => {
  assert.equal(judgeBudget({ percent: 5, counts }, 39, countBudget([])).allowed, 1);
  assert.equal(judgeBudget({ percent: 5, max: 10, counts }, 40, countBudget([])).allowed, 2);
  assert.equal(judgeBudget({ percent: 50, max: 1, counts }, 40, countBudget([])).allowed, 1);
});

test('a class that a budget does not count costs nothing, but is listed', () => {
  const state = judgeBudget(
    { max: 0, counts: ['failed'] },
    10,
    countBudget([outcome('unreachable'), outcome('unreachable')]),
  );
  assert.equal(state.isExceeded, false);
  assert.equal(state.byClass.unreachable, 2);
});
