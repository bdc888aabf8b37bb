// A refresh that failed is told until one succeeds, by every command and by its exit code.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { Scenario } from './scenario.ts';

describe('a host whose archive does not answer', () => {
  let lab: Lab;
  let scenario: Scenario;
  const playbook = (): string => `${lab.stateDir}/playbook.yaml`;

  before(async () => {
    lab = await startLab({ name: 'refresh', hosts: [{ name: 'old', packages: ['fettle-app'] }] });
    scenario = await Scenario.start(lab, {});
    await lab.tell('old', 'apt-get -q update >/dev/null');
    await lab.tell('old', "find /var/lib/apt/lists -exec touch -d '40 days ago' {} +");
    await lab.repo.unpublish();
  });

  after(async () => {
    await lab[Symbol.asyncDispose]();
  });

  test('is stale although its own refresh was tried and failed a moment ago', async () => {
    await lab.tell('old', 'apt-get -q update >/dev/null 2>&1; true');
    const { stdout } = await scenario.fettle(['scan', '--json'], 6);
    assert.match(stdout, /"isStale": true/);
  });

  test('is planned with the words of its package manager, quietly or not, again and again', async () => {
    for (const flags of [['-q'], ['-q', '--detailed-exitcode'], []]) {
      const { stdout, stderr } = await scenario.fettle(['plan', playbook(), ...flags], 4);
      assert.match(`${stdout}${stderr}`, /could not be refreshed.*Failed to stat/s, flags.join(' '));
    }
  });

  test('is scanned with the failure and its time, and is fresh again after one refresh that succeeds', async () => {
    const { stdout } = await scenario.fettle(['scan', '--json'], 4);
    assert.match(stdout, /package lists could not be refreshed \(since \d{4}-\d\d-\d\d \d\d:\d\dZ\): .*Failed to stat/);
    await lab.repo.republish();
    const again = await scenario.fettle(['plan', playbook(), '-q']);
    assert.equal(`${again.stdout}${again.stderr}`, '');
    const clean = await scenario.fettle(['scan', '--json']);
    assert.doesNotMatch(clean.stdout, /could not be refreshed/);
  });
});
