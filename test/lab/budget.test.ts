import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { Scenario } from './scenario.ts';

describe('a budget of one, with one host that fails and one that is off', () => {
  let lab: Lab;
  let scenario: Scenario;

  before(async () => {
    const names = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'];
    lab = await startLab({
      name: 'budget',
      hosts: names.map((name) => ({ name, packages: name === 'a2' ? ['fettle-fragile'] : ['fettle-app'] })),
    });
    scenario = await Scenario.start(lab, {
      rollout: { concurrency: 1, waves: [{ name: 'all', take: 'rest', budget: { max: 1 } }], budget: { max: 1 } },
    });
    await scenario.makePlan();
    await lab.host('a3').powerOff();
  });

  after(async () => {
    await lab[Symbol.asyncDispose]();
  });

  test('the rollout stops with exit 7 and the summary names the hosts by result and what to do', async () => {
    const { stderr } = await scenario.fettle(['apply', scenario.plan], 7);
    assert.match(stderr, /failed +a2/);
    assert.match(stderr, /unreachable +a3/);
    assert.match(stderr, /next: .* run resume/);
    assert.match(stderr, /fettle-fragile/);
    const verdicts = await scenario.verdicts();
    assert.equal(verdicts['a2'], 'failed');
    assert.equal(verdicts['a3'], 'unreachable');
  });

  test('hosts that were not started are untouched, and none is left half-way', async () => {
    const verdicts = await scenario.verdicts();
    for (const name of ['a1', 'a4', 'a5', 'a6']) {
      const state = await lab.packageState(name, 'fettle-app');
      assert.equal(state, verdicts[name] === 'verified' ? 'ii 1.0-1+deb12u1' : 'ii 1.0-1', name);
    }
    assert.equal(await lab.packageState('a6', 'fettle-app'), 'ii 1.0-1');
  });

  test('run logs shows what the package manager printed on the failed host', async () => {
    const { stdout } = await scenario.fettle(['run', 'logs', 'a2']);
    assert.match(stdout, /cannot migrate the data/);
  });

  test('once they are repaired, run resume finishes the rest', async () => {
    await lab.tell('a2', 'rm /etc/fettle-lab/fragile-fails; dpkg --configure -a');
    await lab.host('a3').powerOn();
    await scenario.fettle(['run', 'resume']);
    for (const [host, verdict] of Object.entries(await scenario.verdicts())) assert.equal(verdict, 'verified', host);
    for (const name of ['a1', 'a3', 'a4', 'a5', 'a6']) {
      assert.equal(await lab.packageState(name, 'fettle-app'), 'ii 1.0-1+deb12u1', name);
      assert.equal(await lab.postinstRuns(name, 'fettle-app'), 1, name);
    }
    assert.equal(await lab.packageState('a2', 'fettle-fragile'), 'ii 2.0-1');
    await scenario.fettle(['ledger', 'verify']);
  });
});
