// A host whose system zypper installs: Debian's own zypper and rpm over signed repositories made for the test, and fettle
// over ssh. What every package manager promises is in the contract.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { basePackages, habitualPackages } from './rpm/catalogue.ts';
import { hostArchive, rpmVersions } from './rpm/dnf-system.ts';
import { Scenario } from './scenario.ts';

interface PlanFile {
  readonly hosts: readonly {
    readonly steps: readonly { readonly manager: string }[];
    readonly updates: readonly { readonly name: string; readonly to: string }[];
    readonly leftOut: readonly { readonly name: string; readonly to: string; readonly reason: string }[];
  }[];
}

interface Scanned {
  readonly hosts: readonly {
    readonly updates: readonly { readonly name: string; readonly to: string }[];
    readonly problems: readonly string[];
  }[];
}

/** Each test has a host of its own. */
const names = ['scanned', 'secured', 'whole', 'habits', 'dead', 'locked', 'image'] as const;

type Name = (typeof names)[number];

describe('a host with zypper', () => {
  let lab: Lab;
  let scenario: Scenario;

  before(async () => {
    const packages = [...basePackages, ...habitualPackages]
      .filter(({ repository }) => repository === 'base')
      .map(({ name }) => name);
    lab = await startLab({ name: 'zypper', hosts: names.map((name) => ({ name, flavour: 'zypper', packages })) });
    scenario = await Scenario.start(lab, playbook());
  });

  after(async () => {
    await lab[Symbol.asyncDispose]();
  });

  function playbook(policy: Readonly<Record<string, unknown>> = {}, more: Readonly<Record<string, unknown>> = {}) {
    return { policy, rollout: { waves: ['rest'], budget: { percent: '100%' } }, ...more };
  }

  async function planned(
    host: Name,
    policy: Parameters<typeof playbook>[0] = {},
    more?: Parameters<typeof playbook>[1],
  ) {
    await scenario.write({ ...playbook(policy, more), targets: { select: host } });
    await scenario.makePlan();
    const [plan] = (JSON.parse(await readFile(scenario.plan, 'utf8')) as PlanFile).hosts;
    assert.ok(plan);
    return plan;
  }

  async function scan(host: Name, exitCode = 4, more: readonly string[] = []) {
    const { stdout } = await scenario.fettle(['scan', host, '--json', ...more], exitCode);
    const [found] = (JSON.parse(stdout) as Scanned).hosts;
    assert.ok(found);
    return found;
  }

  const words = (updates: readonly { readonly name: string; readonly to: string }[]): readonly string[] =>
    updates.map(({ name, to }) => `${name} ${to}`).toSorted();

  test('is scanned by an account without rights as by root, and nothing of it is left', async () => {
    const host = 'scanned';
    const places = 'ls -A /tmp /var/tmp /var/log /home/patch';
    const before = await lab.tell(host, places);
    const root = await scan(host);
    assert.ok(root.updates.length > 8);
    // It cannot try why an update is kept back.
    const own = await scan(host, 0, ['-e', 'ansible_become=false']);
    assert.deepEqual(own.updates, root.updates);
    assert.equal(await lab.tell(host, places), before);
  });

  test('is scanned while another program holds the lock, which a scan has no use for', async () => {
    const release = await lab.host('scanned').holdPidFile('/run/zypp.pid', 'packagekitd');
    const { updates } = await scan('scanned');
    await release();
    assert.ok(updates.length > 8);
  });

  test('gets the versions that the patches name, also of those that ask for a reboot, which zypper patch skips', async () => {
    const host = 'secured';
    assert.doesNotMatch(
      await lab.tell(host, 'zypper -n --no-refresh patch --category security --dry-run || :'),
      /kernel-core/,
    );
    const { updates, steps } = await planned(host, { security_only: true });
    assert.deepEqual(
      steps.map(({ manager }) => manager),
      ['zypper'],
    );
    assert.deepEqual(words(updates), ['alpha 1.1-1.el9', 'beta 2:1.1~rc1-1.el9', 'kernel-core 5.14.0-503.14.1.el9']);
    await scenario.fettle(['apply', scenario.plan]);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'verified' });
    assert.deepEqual(await rpmVersions(lab, host, 'alpha'), ['1.1-1.el9']);
    assert.deepEqual(await rpmVersions(lab, host, 'kernel-core'), ['5.14.0-503.11.1.el9', '5.14.0-503.14.1.el9']);
    await scenario.assertNothingLeft(host);
    assert.deepEqual((await planned(host, { security_only: true })).updates, []);
  });

  test('gets everything that can go in, and a reason for the rest', async () => {
    const host = 'whole';
    const { updates, leftOut } = await planned(host);
    assert.deepEqual(words(updates), [
      ...['alpha 1.2-1.el9', 'asking 1.1-1.el9', 'beta 2:1.1~rc1-1.el9', 'configured 1.1-1.el9', 'excluded 1.1-1.el9'],
      ...['gamma 1.0^git1-1.el9', 'kernel-core 5.14.0-503.15.1.el9', 'needsnew 1.1-1.el9', 'newdep 1.1-1.el9'],
    ]);
    const reasons = new Map(leftOut.map(({ name, reason }) => [name, reason]));
    assert.match(reasons.get('held') ?? '', /held on the host/);
    assert.match(reasons.get('broken') ?? '', /kept back by the package manager/);
    assert.match(reasons.get('oldtool') ?? '', /would remove oldtool:noarch/);
    await scenario.fettle(['apply', scenario.plan]);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'verified' });
    assert.deepEqual(await rpmVersions(lab, host, 'newdep'), ['1.1-1.el9']);
    assert.deepEqual(await rpmVersions(lab, host, 'oldtool'), ['1.0-1.el9']);
    assert.deepEqual(await rpmVersions(lab, host, 'kernel-core'), ['5.14.0-503.11.1.el9', '5.14.0-503.15.1.el9']);
    assert.deepEqual((await planned(host)).updates, []);
  });

  test('runs no script with an input to read, and keeps a file in /etc that somebody changed', async () => {
    const host = 'habits';
    await lab.tell(host, 'echo mine >/etc/configured.conf');
    await planned(host, { include: [{ packages: ['asking', 'configured'] }] });
    await scenario.fettle(['apply', scenario.plan]);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'verified' });
    assert.deepEqual(await rpmVersions(lab, host, 'asking'), ['1.1-1.el9']);
    assert.equal(await lab.tell(host, 'cat /etc/configured.conf /etc/configured.conf.rpmnew'), 'mine\n1.1');
  });

  test('is never reported as up to date where a repository is dead', async () => {
    const host = 'dead';
    await lab.tell(host, `mv ${hostArchive}/updates ${hostArchive}/gone`);
    await scenario.write({
      ...playbook({}, { install: { max_age: '1s' } }),
      targets: { select: host },
    });
    const { stdout, stderr } = await scenario.makePlan(4);
    assert.match(`${stdout}\n${stderr}`, /could not be refreshed[\s\S]*updates/);
    await lab.tell(host, 'rm -r /var/cache/zypp/raw/updates /var/cache/zypp/solv/updates');
    const { problems } = await scan(host);
    assert.ok(problems.some((words) => words.includes('Lab updates: was never fetched')));
  });

  test('names who holds the lock of rpm, and gives up after its time', async () => {
    const host = 'locked';
    await planned(host, {}, { install: { lock_wait: '2s' } });
    const release = await lab.host(host).holdLock('/var/lib/rpm/.rpm.lock', 'rpm-holder');
    const { stdout, stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    await release();
    assert.match(`${stdout}\n${stderr}`, /rpm-holder/);
    assert.deepEqual(await rpmVersions(lab, host, 'alpha'), ['1.0-1.el9']);
  });

  test('gets a scan and nothing else where transactional-update changes the system in a snapshot', async () => {
    const host = 'image';
    await lab.tell(
      host,
      `printf '#!/bin/sh\\n' >/usr/sbin/transactional-update; chmod 755 /usr/sbin/transactional-update
mkdir /mnt/ro; mount --bind / /mnt/ro; mount -o remount,bind,ro /mnt/ro; mount --move /mnt/ro /`,
    );
    const { updates, problems } = await scan(host);
    assert.ok(updates.length > 8);
    assert.ok(problems.some((words) => words.includes('transactional-update')));
    await scenario.write({ ...playbook(), targets: { select: host } });
    const { stdout, stderr } = await scenario.makePlan(4);
    assert.match(`${stdout}\n${stderr}`, /transactional-update/);
  });
});
