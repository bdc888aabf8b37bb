// Records of releases up to 0.1, in the shapes that they were written in.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import canonicalize from 'canonicalize';
import { decodePlan } from '../../src/config/plan/file.ts';
import { currentAdjustment, currentResults, currentScan, type FormerScan } from '../../src/domain/former-records.ts';
import type { UpdateResult } from '../../src/domain/outcome.ts';
import type { HostPlan, Plan } from '../../src/domain/plan.ts';
import { planOf } from '../support/rollout-fixture.ts';
import { aPlanned, aScan } from './fixtures.ts';

const updateId = '11111111-2222-4333-8444-555555555555';

/** The same without the fields that came later. */
function without(value: object, ...names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

function formerHost(host: HostPlan, manager: string, updates: readonly object[]): Record<string, unknown> {
  return { ...without(host, 'managers', 'steps'), manager, updates, inventorySha256: 'a'.repeat(64) };
}

function formerPlan(manager: string, updates: readonly object[]): Buffer {
  const plan = planOf([['web01']], { playbook: { name: 'p', sha256: 'a'.repeat(64) } });
  const hosts = plan.hosts.map((host) => formerHost(host, manager, updates));
  return Buffer.from(`${canonicalize({ ...plan, version: 1, hosts })}\n`);
}

function hostOf(plan: Plan): HostPlan {
  const [host] = plan.hosts;
  assert.ok(host);
  return host;
}

describe('a plan of format 1', () => {
  test('has one step, of the package manager of the host', () => {
    const host = hostOf(decodePlan(formerPlan('apt', [without(aPlanned(), 'manager')])));
    assert.deepEqual([host.managers, host.steps], [['apt'], [{ manager: 'apt', afterFailure: 'stop' }]]);
    assert.deepEqual(
      host.updates.map(({ manager, name, arch }) => [manager, name, arch]),
      [['apt', 'nginx', 'amd64']],
    );
  });

  test('has a step for software whose package manager stood in the place of the architecture', () => {
    const windows = without(aPlanned({ name: 'KB5044284', arch: updateId, from: '', to: '200' }), 'manager');
    const software = without(aPlanned({ name: 'git', arch: 'chocolatey' }), 'manager');
    const host = hostOf(decodePlan(formerPlan('windows-update', [windows, software])));
    assert.deepEqual(host.steps, [
      { manager: 'windows-update', afterFailure: 'stop' },
      { manager: 'chocolatey', afterFailure: 'continue' },
    ]);
    assert.deepEqual(
      host.updates.map(({ manager, name, arch }) => [manager, name, arch]),
      [
        ['windows-update', 'KB5044284', updateId],
        ['chocolatey', 'git', ''],
      ],
    );
  });

  test('that was edited is refused as before', () => {
    const edited = Buffer.from(String(formerPlan('apt', [])).replace('"version":1', '"version": 1'));
    assert.throws(() => decodePlan(edited), { code: 'approval', message: /canonical/ });
  });
});

test('a scan has the package manager of its host, and states instead of the letters of dpkg', () => {
  const installed = { name: 'app', arch: 'amd64', version: '1', source: 'app', sourceVersion: '1' };
  const former = {
    ...without(aScan(), 'managers'),
    manager: 'apt',
    packages: [
      { ...installed, status: 'ii' },
      { ...installed, name: 'kept', status: 'hi' },
      { ...installed, name: 'torn', status: 'iF' },
    ],
    broken: [{ ...installed, name: 'torn', status: 'iF' }],
    updates: [without({ ...aPlanned(), from: '1' }, 'manager')],
    metadata: { isStale: false, repositories: [{ name: 'Debian' }] },
  };
  const scan = currentScan(former as unknown as FormerScan);
  assert.deepEqual(
    scan.packages.map(({ manager, name, state, stateDetail, isHeld }) => [manager, name, state, stateDetail, isHeld]),
    [
      ['apt', 'app', 'installed', undefined, undefined],
      ['apt', 'kept', 'installed', undefined, true],
      ['apt', 'torn', 'broken', 'iF', undefined],
    ],
  );
  assert.deepEqual([scan.managers, scan.updates[0]?.manager], [['apt'], 'apt']);
  assert.deepEqual(
    [scan.broken[0]?.state, scan.metadata.repositories],
    ['broken', [{ manager: 'apt', name: 'Debian' }]],
  );
});

test('results, successors and what was skipped name their package manager, and those of today stay as they are', () => {
  const result = { name: 'git', arch: 'winget', from: '1', to: '2', now: '2', state: 'installed' };
  const [read] = currentResults([result as unknown as UpdateResult]);
  assert.deepEqual([read?.manager, read?.arch], ['winget', '']);
  const planned = without(aPlanned(), 'manager');
  const { superseded, skipped } = currentAdjustment({
    superseded: [{ planned, successor: planned }],
    skipped: ['nginx:amd64', `KB1:${updateId}`, 'snap/firefox:'],
  } as never);
  assert.deepEqual([superseded[0]?.planned.manager, superseded[0]?.successor.manager], ['apt', 'apt']);
  assert.deepEqual(skipped, ['apt/nginx:amd64', `windows-update/KB1:${updateId}`, 'snap/firefox:']);
});
