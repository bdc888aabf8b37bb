import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ErrorCode } from '../../../src/domain/error.ts';
import type { ExitName } from '../../../src/domain/exit.ts';
import type { PlanAbsence } from '../../../src/domain/plan.ts';
import { planExit, runResult } from '../../../src/engine/rollout/result.ts';
import { hostPlanOf, planOf } from '../../support/rollout-fixture.ts';

function absence(kind: PlanAbsence['kind'], code?: ErrorCode): PlanAbsence {
  const error = code === undefined ? {} : { error: { code, message: 'no' } };
  return { host: `${kind}-${code ?? ''}`, hostId: kind, kind, reason: 'no', ...error };
}

describe('the exit of a plan', () => {
  const off = absence('unreachable', 'timeout');
  const denied = absence('unreachable', 'host-key');
  const unelevated = absence('unreachable', 'elevate');
  const cases: readonly [title: string, absent: readonly PlanAbsence[], exit: ExitName][] = [
    ['is ok where every host was read', [], 'ok'],
    ['is ok where hosts are switched off by their own variables', [absence('disabled')], 'ok'],
    ['is unreachable where a host does not answer or refuses every login', [off, denied], 'unreachable'],
    ['is partial where a host failed', [off, absence('failed', 'command')], 'partial'],
    ['is partial where a second name of a machine was left out', [absence('duplicate')], 'partial'],
  ];
  for (const [title, absent, exit] of cases) {
    test(title, () => assert.equal(planExit(planOf([['a']], { absent }), false), exit));
  }

  test('is auth where every host that was contacted refused the login', () => {
    const nobody = (absent: readonly PlanAbsence[]) => planExit(planOf([], { absent }), false);
    assert.equal(nobody([denied, unelevated, absence('disabled')]), 'auth');
    assert.equal(nobody([denied, off]), 'unreachable');
    assert.equal(nobody([absence('disabled')]), 'ok');
  });

  test('is changes where that was asked for and there is something to do', () => {
    const idle = planOf([], { hosts: [hostPlanOf('a', -1, { updates: [] })] });
    assert.equal(planExit(planOf([['a']]), true), 'changes');
    assert.equal(planExit(idle, true), 'ok');
  });

  test('is unverified where package lists were never fetched or are older than the playbook allows, after all else', () => {
    const { metadataFetchedMs: _known, ...never } = hostPlanOf('a');
    const made = planOf([['a']], { hosts: [{ ...never, metadataFetchedMs: 1000 }] });
    const old = { ...made, createdMs: 1000 + made.install.maxAgeMs + 1 };
    assert.equal(planExit({ ...made, hosts: [never] }, false), 'unverified');
    assert.equal(planExit({ ...old, createdMs: old.createdMs - 1 }, false), 'ok');
    assert.equal(planExit(old, false), 'unverified');
    assert.equal(planExit(old, true), 'changes');
    assert.equal(planExit({ ...old, absent: [off] }, false), 'unreachable');
  });
});

test('a run in which every host that had work refused the credentials is auth, whatever others had nothing to do', () => {
  const error = { code: 'auth', message: 'refused' } as const;
  const refused = { verdict: 'unreachable', change: 'none', reason: 'refused', error } as const;
  const plan = planOf([['a', 'b']], {
    hosts: [hostPlanOf('a'), hostPlanOf('b'), hostPlanOf('c', -1, { updates: [] })],
  });
  const outcomes = new Map(['a', 'b'].map((host) => [host, refused] as const));
  assert.equal(runResult({ plan, outcomes, pending: [] }).exitName, 'auth');
});
