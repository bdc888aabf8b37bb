import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { Scenario } from './scenario.ts';

const packages = ['fettle-app', 'fettle-tool', 'fettle-conf', 'fettle-big'];

describe('a plan whose repository moved on', () => {
  let lab: Lab;
  let scenario: Scenario;

  beforeEach(async () => {
    lab = await startLab({ name: 'drift', hosts: ['d1', 'd2'].map((name) => ({ name, packages })) });
    scenario = await Scenario.start(lab, { rollout: { waves: ['rest'] } });
    await scenario.makePlan();
  });

  afterEach(async () => {
    await lab[Symbol.asyncDispose]();
  });

  async function replaceTool(): Promise<void> {
    await lab.repo.publish({ name: 'fettle-tool', version: '1.4-3', suite: 'updates' });
    await lab.repo.remove('fettle-tool', { version: '1.4-2' });
  }

  async function planWith(onDrift: string): Promise<void> {
    await scenario.write({ rollout: { waves: ['rest'] }, install: { on_drift: onDrift } });
    await scenario.makePlan();
  }

  test('an unrelated new update is no drift, and stays out', async () => {
    await lab.repo.publish({ name: 'fettle-lib', version: '1.0-1+deb12u2', suite: 'security', architecture: 'native' });
    await scenario.fettle(['apply', scenario.plan]);
    assert.equal(await lab.packageState('d1', 'fettle-lib'), 'ii 1.0-1+deb12u1');
    assert.deepEqual(await scenario.verdicts(), { d1: 'verified', d2: 'verified' });
  });

  test('what is already at its planned version counts as done', async () => {
    await lab.tell('d1', 'DEBIAN_FRONTEND=noninteractive apt-get -qq -y install fettle-tool=1.4-2 </dev/null');
    await scenario.fettle(['apply', scenario.plan]);
    assert.deepEqual(await scenario.verdicts(), { d1: 'verified', d2: 'verified' });
    assert.equal(await lab.postinstRuns('d1', 'fettle-tool'), 1);
  });

  test('what changes after the host was judged is noticed by the job itself, and nothing is installed', async () => {
    const hold = { name: 'hold', remote: 'apt-mark hold fettle-tool' };
    await scenario.write({ rollout: { waves: ['rest'] }, hooks: { before_host: [hold] } });
    await scenario.makePlan();
    const { stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(stderr, /fettle-tool .*would not be installed/);
    assert.deepEqual(await scenario.verdicts(), { d1: 'drifted', d2: 'drifted' });
    assert.equal(await lab.packageState('d1', 'fettle-app'), 'ii 1.0-1');
  });

  test('skip-package leaves the one that is gone out and installs the rest', async () => {
    await planWith('skip-package');
    await replaceTool();
    await scenario.fettle(['apply', scenario.plan]);
    assert.equal(await lab.packageState('d1', 'fettle-tool'), 'ii 1.4-1');
    assert.equal(await lab.packageState('d1', 'fettle-app'), 'ii 1.0-1+deb12u1');
  });

  test('supersede takes the successor of the same origin and records it', async () => {
    await planWith('supersede');
    await replaceTool();
    await scenario.fettle(['apply', scenario.plan]);
    assert.equal(await lab.packageState('d1', 'fettle-tool'), 'ii 1.4-3');
    const detail = await scenario.json<{ updates: { name: string; state: string }[] }>(['run', 'show']);
    assert.equal(detail.updates.find(({ name }) => name === 'fettle-tool')?.state, 'superseded');
  });
});
