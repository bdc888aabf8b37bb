import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { Scenario } from './scenario.ts';

describe('a host in trouble gets one clear message, and nothing is lost', () => {
  let lab: Lab;
  let scenario: Scenario;

  before(async () => {
    lab = await startLab({
      name: 'trouble',
      hosts: [
        { name: 'full', packages: ['fettle-big', 'fettle-tool'], diskMib: 96 },
        { name: 'busy', packages: ['fettle-app'] },
        { name: 'broken', packages: ['fettle-fragile', 'fettle-app'] },
        { name: 'keyed', packages: ['fettle-app'] },
        { name: 'lone', packages: ['fettle-app'] },
      ],
    });
    scenario = await Scenario.start(lab, { rollout: { waves: ['rest'] }, install: { lock_wait: '4s' } });
  });

  after(async () => {
    await lab[Symbol.asyncDispose]();
  });

  async function planFor(host: string): Promise<void> {
    await scenario.fettle(['plan', `${lab.stateDir}/playbook.yaml`, '-o', scenario.plan, '-l', host]);
  }

  test('a full disk is reported before anything is installed', async () => {
    await planFor('full');
    await lab.host('full').fillDisk(3_000_000);
    const { stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(stderr, /full[\s\S]*(space|free|full)/i);
    assert.equal(await lab.packageState('full', 'fettle-big'), 'ii 1.0-1');
    assert.equal(await lab.packageState('full', 'fettle-tool'), 'ii 1.4-1');
    await lab.host('full').emptyDisk();
    await scenario.fettle(['run', 'resume']);
    assert.equal(await lab.packageState('full', 'fettle-big'), 'ii 1.1-1');
  });

  test('a lock that another package manager holds is waited for, and who holds it is named', async () => {
    await planFor('busy');
    const release = await lab.host('busy').holdLock();
    const { stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(stderr, /unattended-upgr/);
    assert.equal(await lab.packageState('busy', 'fettle-app'), 'ii 1.0-1');
    await release();
    await scenario.fettle(['run', 'resume']);
    assert.equal(await lab.packageState('busy', 'fettle-app'), 'ii 1.0-1+deb12u1');
    assert.equal(await lab.postinstRuns('busy', 'fettle-app'), 1);
  });

  test('a package that was broken before is reported as such, and is not touched', async () => {
    await planFor('broken');
    await lab.ssh('broken', 'DEBIAN_FRONTEND=noninteractive apt-get -qq -y install fettle-fragile=2.0-1 </dev/null');
    assert.equal(await lab.packageState('broken', 'fettle-fragile'), 'iF 2.0-1');
    const { stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(stderr, /fettle-fragile/);
    assert.equal(await lab.packageState('broken', 'fettle-fragile'), 'iF 2.0-1');
    assert.equal(await lab.postinstRuns('broken', 'fettle-fragile'), 1);
    assert.equal(await lab.packageState('broken', 'fettle-app'), 'ii 1.0-1');
  });

  test('a changed host key is refused with both places, and nothing is sent', async () => {
    await lab.host('keyed').changeHostKey();
    const { stderr } = await scenario.fettle(['scan', 'keyed', '--host-key', 'accept-new'], 12);
    assert.match(stderr, /known_hosts:\d+[\s\S]*SHA256:[\s\S]*ssh-keygen .*-R/);
    await lab.trustHostKeys();
    await scenario.fettle(['scan', 'keyed']);
  });

  test('a host that is off is unreachable within its limit', async () => {
    await lab.host('lone').powerOff();
    const { stderr } = await scenario.fettle(['scan', 'lone'], 5);
    assert.match(stderr, /lone/);
    await lab.host('lone').powerOn();
  });

  test('a flood of output is cut, counted and drained', async () => {
    const result = await scenario.json<{ hosts: { exitCode: number; truncatedBytes: number; stdout: string }[] }>([
      'exec',
      '-l',
      'lone',
      '--',
      'head -c 60000000 /dev/zero | tr "\\0" x',
    ]);
    const [host] = result.hosts;
    assert.equal(host?.exitCode, 0);
    assert.equal((host.stdout.length ?? 0) + (host.truncatedBytes ?? 0), 60_000_000);
  });

  test('a repository that is gone between plan and apply leaves the host as it was', async () => {
    await planFor('lone');
    await lab.repo.unpublish();
    const { stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(stderr, /lone/);
    assert.equal(await lab.packageState('lone', 'fettle-app'), 'ii 1.0-1');
    await lab.repo.republish();
    await scenario.fettle(['run', 'resume']);
    assert.equal(await lab.packageState('lone', 'fettle-app'), 'ii 1.0-1+deb12u1');
  });
});
