// A host whose system dnf 4 installs: Debian's own dnf and rpm over signed repositories made for the test, and fettle over ssh.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { basePackages } from './rpm/catalogue.ts';
import { hostArchive, rpmVersions } from './rpm/dnf-system.ts';
import { Scenario } from './scenario.ts';

interface PlanFile {
  readonly hosts: readonly {
    readonly steps: readonly { readonly manager: string }[];
    readonly updates: readonly { readonly name: string; readonly to: string }[];
    readonly leftOut: readonly { readonly name: string; readonly to: string; readonly reason: string }[];
  }[];
}

/** Each test has a host of its own. */
const names = ['scanned', 'secured', 'whole', 'dead', 'locked'] as const;

type Name = (typeof names)[number];

describe('a host with dnf 4', () => {
  let lab: Lab;
  let scenario: Scenario;

  before(async () => {
    const packages = basePackages.map(({ name }) => name);
    lab = await startLab({ name: 'dnf', hosts: names.map((name) => ({ name, flavour: 'dnf', packages })) });
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

  const words = (updates: readonly { readonly name: string; readonly to: string }[]): readonly string[] =>
    updates.map(({ name, to }) => `${name} ${to}`).toSorted();

  test('is scanned by an account without rights as by root, and nothing of it is left', async () => {
    const host = 'scanned';
    interface Scanned {
      readonly hosts: readonly { readonly updates: readonly { readonly name: string; readonly to: string }[] }[];
    }
    const scan = async (...more: readonly string[]) => {
      const { stdout } = await scenario.fettle(['scan', host, '--json', ...more], 4);
      return (JSON.parse(stdout) as Scanned).hosts[0]?.updates;
    };
    const places = 'ls -A /tmp /var/tmp /var/log';
    const before = await lab.tell(host, places);
    const root = await scan();
    assert.ok((root?.length ?? 0) > 8);
    // Lists that are signed are root's alone to read.
    assert.deepEqual(await scan('-e', 'ansible_become=false'), []);
    await lab.tell(host, "sed -i '/^repo_gpgcheck/d' /etc/yum.repos.d/lab.repo; dnf -q makecache");
    assert.deepEqual(await scan('-e', 'ansible_become=false'), root);
    assert.equal(await lab.tell(host, places), before);
  });

  test('gets the versions that the advisories name, and a kernel beside the running one', async () => {
    const host = 'secured';
    const { updates, steps } = await planned(host, { security_only: true });
    assert.deepEqual(
      steps.map(({ manager }) => manager),
      ['dnf'],
    );
    assert.deepEqual(words(updates), ['alpha 1.1-1.el9', 'beta 2:1.1~rc1-1.el9', 'kernel-core 5.14.0-503.14.1.el9']);
    await scenario.fettle(['apply', scenario.plan]);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'verified' });
    assert.deepEqual(await rpmVersions(lab, host, 'alpha'), ['1.1-1.el9']);
    assert.deepEqual(await rpmVersions(lab, host, 'kernel-core'), ['5.14.0-503.11.1.el9', '5.14.0-503.14.1.el9']);
    await scenario.assertNothingLeft(host);
    assert.deepEqual((await planned(host, { security_only: true })).updates, []);
  });

  test('gets everything that can go in, and is told why the rest stays', async () => {
    const host = 'whole';
    const { updates, leftOut } = await planned(host);
    assert.deepEqual(words(updates), [
      ...['alpha 1.2-1.el9', 'beta 2:1.1~rc1-1.el9', 'gamma 1.0^git1-1.el9', 'kernel-core 5.14.0-503.15.1.el9'],
      ...['needsnew 1.1-1.el9', 'newdep 1.1-1.el9'],
    ]);
    const reasons = new Map(leftOut.map(({ name, reason }) => [name, reason]));
    assert.match(reasons.get('held') ?? '', /held on the host/);
    assert.match(reasons.get('excluded') ?? '', /pinned/);
    assert.match(reasons.get('broken') ?? '', /kept back by the package manager/);
    assert.match(reasons.get('oldtool') ?? '', /would remove oldtool:noarch/);
    await scenario.fettle(['apply', scenario.plan]);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'verified' });
    assert.deepEqual(await rpmVersions(lab, host, 'newdep'), ['1.1-1.el9']);
    assert.deepEqual(await rpmVersions(lab, host, 'oldtool'), ['1.0-1.el9']);
    // Two kernels at most, says its dnf.conf; the plan names none that goes.
    assert.deepEqual(await rpmVersions(lab, host, 'kernel-core'), ['5.14.0-503.11.1.el9', '5.14.0-503.15.1.el9']);
    assert.deepEqual((await planned(host)).updates, []);
  });

  test('is never reported as up to date where a repository is dead', async () => {
    const host = 'dead';
    await lab.tell(host, `mv ${hostArchive}/updates ${hostArchive}/gone`);
    await scenario.write({ ...playbook({}, { install: { max_age: '1s' } }), targets: { select: host } });
    const { stdout, stderr } = await scenario.makePlan(4);
    assert.match(`${stdout}\n${stderr}`, /could not be refreshed[\s\S]*updates/);
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
});
