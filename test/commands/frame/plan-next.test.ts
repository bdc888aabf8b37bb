import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextAfterPlan } from '../../../src/commands/frame/plan-next.ts';
import type { HostPlan } from '../../../src/domain/plan.ts';
import { aHostPlan, aPlanned } from '../../domain/fixtures.ts';
import { planOf } from '../../support/rollout-fixture.ts';

function next(hosts: readonly Partial<HostPlan>[]): string {
  const plan = planOf([], { createdMs: 1_000_000_000, hosts: hosts.map((host) => aHostPlan(host)) });
  return nextAfterPlan(plan, { arguments: ['monthly patch.yaml'], options: { inventory: ['a.yaml'] } });
}

const fresh = { wave: -1, updates: [], metadataFetchedMs: 1_000_000_000 };

test('after a plan with work the plan is written to a file, and applied with the same inventory', () => {
  assert.equal(
    next([{ ...fresh, updates: [aPlanned()] }]),
    "next: fettle plan 'monthly patch.yaml' -i a.yaml -o plan.json, then: fettle apply plan.json -i a.yaml",
  );
});

test('a host whose package lists were never fetched, are old, or lack something is planned again as root', () => {
  for (const host of [
    { wave: -1, updates: [] },
    { ...fresh, metadataFetchedMs: 0 },
    { ...fresh, gaps: ['x'] },
  ])
    assert.match(next([host]), /^next, as root or with -b: fettle plan .* -i a\.yaml, which fetches/);
});

test("a plan without a host leads to hosts of one's own, and one without work to the report", () => {
  assert.match(next([]), /^next: fettle init fleet/);
  assert.equal(next([fresh]), 'next: fettle report status');
});
