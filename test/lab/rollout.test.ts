import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { nativeArchitecture } from './mirror.ts';
import { Scenario } from './scenario.ts';

const names = Array.from({ length: 10 }, (_, index) => `web${String(index + 1).padStart(2, '0')}`);

describe('ten hosts in waves of one, thirty percent and the rest', () => {
  let lab: Lab;
  let scenario: Scenario;
  let earlier: string;
  const bootIds = new Map<string, string>();

  before(async () => {
    const kernel = `linux-image-${await nativeArchitecture()}`;
    const quick = { '/etc/fettle-lab/slow-step': '0.05\n' };
    lab = await startLab({
      name: 'waves',
      hosts: names.map((name, index) => ({
        name,
        flavour: index === 9 ? 'systemd' : 'plain',
        files: quick,
        sudo: index === 8 ? 'password' : 'nopasswd',
        packages:
          index === 1
            ? ['fettle-app', kernel]
            : index === 2
              ? ['fettle-held', 'fettle-tool']
              : index === 3
                ? ['fettle-phased', 'fettle-hidden', 'fettle-grow']
                : index === 9
                  ? ['fettle-app', 'fettle-daemon']
                  : ['fettle-app', 'fettle-tool'],
      })),
    });
    scenario = await Scenario.start(lab, { rollout: { waves: [1, '30%', 'rest'], budget: { max: 1 } } });
    for (const host of lab.hosts) bootIds.set(host.name, await host.bootId());
  });

  after(async () => {
    await lab[Symbol.asyncDispose]();
  });

  test('a scan leaves nothing behind and changes nothing', async () => {
    await scenario.fettle(['scan']);
    earlier = new Date().toISOString();
    for (const name of names) await scenario.assertNothingLeft(name);
    assert.equal(await lab.packageState('web01', 'fettle-app'), 'ii 1.0-1');
  });

  test('exactly the planned versions go in, wave by wave, and every host is verified', async () => {
    const planned = await scenario.makePlan();
    assert.match(planned.stdout, /web03[\s\S]*left out[\s\S]*fettle-held/);
    const { stdout: sum } = await lab.exec(['sha256sum', scenario.plan]);
    assert.ok(planned.stdout.includes(sum.slice(0, 64)), 'the hash of the plan is that of its file');
    const applied = await scenario.fettle(['apply', scenario.plan]);
    assert.match(applied.stderr, /wave 1 .*\(1\)[\s\S]*wave 2 .*\(3\)[\s\S]*wave 3 .*\(6\)/);
    for (const [host, verdict] of Object.entries(await scenario.verdicts())) assert.equal(verdict, 'verified', host);
    for (const name of ['web01', 'web02', 'web05', 'web09', 'web10']) {
      assert.equal(await lab.packageState(name, 'fettle-app'), 'ii 1.0-1+deb12u1', name);
      assert.equal(await lab.packageState(name, 'fettle-lib'), 'ii 1.0-1+deb12u1', name);
      assert.equal(await lab.postinstRuns(name, 'fettle-app'), 1, name);
    }
    assert.equal(await lab.packageState('web04', 'fettle-phased'), 'ii 1.0-1+deb12u1');
    assert.equal(await lab.packageState('web04', 'fettle-grow-data'), 'ii 2.0-1');
  });

  test('a held package stays, and automatic marks stay as they were', async () => {
    assert.equal(await lab.packageState('web03', 'fettle-held'), 'hi 1.0-1');
    assert.match(await lab.tell('web01', 'apt-mark showauto'), /^fettle-lib$/m);
    assert.match(await lab.tell('web04', 'apt-mark showauto'), /^fettle-grow-data$/m);
  });

  test('only the host with the new kernel has a new boot id, and runs that kernel', async () => {
    for (const name of names) {
      const now = await lab.tell(name, 'cat /proc/sys/kernel/random/boot_id');
      assert.equal(now === bootIds.get(name), name !== 'web02', name);
    }
    assert.match(await lab.tell('web02', 'uname -r'), /^6\.1\.0-32-/);
  });

  test('nothing but tombstones is left on the hosts', async () => {
    for (const name of names) await scenario.assertNothingLeft(name);
  });

  test('a second plan is empty', async () => {
    const again = await scenario.fettle(['plan', `${lab.stateDir}/playbook.yaml`, '--detailed-exitcode']);
    assert.match(again.stdout, /Nothing to do on 10 hosts/);
  });

  test('the ledger is whole, and answers with every host off', async () => {
    await scenario.fettle(['ledger', 'verify']);
    await Promise.all(lab.hosts.map((host) => host.powerOff()));
    const now = await scenario.json<{ updates: { name: string }[] }>(['report', 'updates']);
    assert.deepEqual([...new Set(now.updates.map(({ name }) => name))].toSorted(), ['fettle-held', 'fettle-phased']);
    const then = await scenario.json<{ hosts: { host: string; security: number }[] }>([
      'report',
      'status',
      '--as-of',
      earlier,
    ]);
    assert.deepEqual(
      then.hosts.filter(({ security }) => security > 0).map(({ host }) => host),
      names.filter((name) => name !== 'web03'),
    );
    const status = await scenario.json<{ hosts: { host: string; security: number; lastVerdict: string }[] }>([
      'report',
      'status',
    ]);
    assert.ok(status.hosts.every(({ security, lastVerdict }) => security === 0 && lastVerdict === 'verified'));
    const detail = await scenario.json<{ reboots: { host: string }[]; updates: { host: string; state: string }[] }>([
      'run',
      'show',
    ]);
    assert.deepEqual(
      detail.reboots.map(({ host }) => host),
      ['web02'],
    );
    assert.ok(detail.updates.every(({ state }) => state === 'installed'));
    const packages = await scenario.json<{ packages: { name: string; version: string }[] }>([
      'report',
      'hosts',
      'web01',
      '--as-of',
      earlier,
    ]);
    assert.equal(packages.packages.find(({ name }) => name === 'fettle-app')?.version, '1.0-1');
  });
});
