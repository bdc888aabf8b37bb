// A host whose system dnf 4 installs: Debian's own dnf and rpm over signed repositories made for the test, and fettle over ssh.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { missingTools } from './rpm/archive.ts';
import { slowFile } from './rpm/catalogue.ts';
import { hostArchive, makeDnfHost, rpmVersions } from './rpm/dnf-host.ts';
import { Scenario } from './scenario.ts';

interface PlanFile {
  readonly hosts: readonly {
    readonly steps: readonly { readonly manager: string }[];
    readonly updates: readonly { readonly name: string; readonly to: string }[];
    readonly leftOut: readonly { readonly name: string; readonly to: string; readonly reason: string }[];
  }[];
}

const host = 'el9';

describe('a host with dnf 4', () => {
  let lab: Lab;
  let scenario: Scenario;

  beforeEach(async () => {
    assert.equal(missingTools(), undefined);
    lab = await startLab({ name: 'dnf', hosts: [{ name: host, flavour: 'dnf' }] });
    await makeDnfHost(lab, host);
    scenario = await Scenario.start(lab, playbook());
  });

  afterEach(async () => {
    await lab[Symbol.asyncDispose]();
  });

  function playbook(policy: Readonly<Record<string, unknown>> = {}, more: Readonly<Record<string, unknown>> = {}) {
    return { policy, rollout: { waves: ['rest'], budget: { percent: '100%' } }, ...more };
  }

  async function planned(policy: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}) {
    await scenario.write(playbook(policy, more));
    await scenario.makePlan();
    const [plan] = (JSON.parse(await readFile(scenario.plan, 'utf8')) as PlanFile).hosts;
    assert.ok(plan);
    return plan;
  }

  const words = (updates: readonly { readonly name: string; readonly to: string }[]): readonly string[] =>
    updates.map(({ name, to }) => `${name} ${to}`).toSorted();

  /** All but those whose scriptlets fail or wait. */
  const wellBehaved = { exclude: [{ packages: ['bad*', 'slow'] }] };

  test('is scanned by an account without rights as by root, and nothing of it is left', async () => {
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
    const { updates, steps } = await planned({ security_only: true });
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
    assert.deepEqual((await planned({ security_only: true })).updates, []);
  });

  test('gets everything that can go in, and is told why the rest stays', async () => {
    const { updates, leftOut } = await planned(wellBehaved);
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
    assert.deepEqual((await planned(wellBehaved)).updates, []);
  });

  test('tells a package whose script fails before it from one whose script fails after it', async () => {
    await planned({ include: [{ packages: ['bad*'] }] });
    const { stdout, stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(`${stdout}\n${stderr}`, /badpre/);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'failed' });
    assert.deepEqual(await rpmVersions(lab, host, 'badpre'), ['1.0-1.el9']);
    assert.deepEqual(await rpmVersions(lab, host, 'badpost'), ['1.1-1.el9']);
  });

  test('is refused as drifted where a planned version has left its repository', async () => {
    await planned(wellBehaved);
    await lab.tell(
      host,
      `sed -i 's|${hostArchive}/updates|${hostArchive}/empty|' /etc/yum.repos.d/lab.repo; cp -r ${hostArchive}/base ${hostArchive}/empty`,
    );
    await scenario.fettle(['apply', scenario.plan], 4);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'drifted' });
    assert.deepEqual(await rpmVersions(lab, host, 'alpha'), ['1.0-1.el9']);
  });

  test('is never reported as up to date where a repository is dead', async () => {
    await lab.tell(host, `mv ${hostArchive}/updates ${hostArchive}/gone`);
    await scenario.write(playbook(wellBehaved, { install: { max_age: '1s' } }));
    const { stdout, stderr } = await scenario.makePlan(4);
    assert.match(`${stdout}\n${stderr}`, /could not be refreshed[\s\S]*updates/);
  });

  test('names who holds the lock of rpm, and gives up after its time', async () => {
    await planned(wellBehaved, { install: { lock_wait: '2s' } });
    await lab.tell(
      host,
      `setsid perl -MFcntl -e '$0 = "rpm-holder"; open my $f, "+>>", "/var/lib/rpm/.rpm.lock" or die;
my $lock = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0); fcntl($f, F_SETLKW, $lock) or die $!; open my $g, ">", "/run/taken"; close $g;
select undef, undef, undef, 0.1 while !-e "/run/let-go"' </dev/null >/dev/null 2>&1 &
while [ ! -e /run/taken ]; do sleep 0.05; done`,
    );
    const { stdout, stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    await lab.tell(host, 'touch /run/let-go');
    assert.match(`${stdout}\n${stderr}`, /rpm-holder/);
    assert.deepEqual(await rpmVersions(lab, host, 'alpha'), ['1.0-1.el9']);
  });

  test('is repaired and finished by a resumed run after its update was killed', async () => {
    await lab.tell(host, `: >${slowFile}`);
    await planned({ include: [{ packages: ['slow', 'gamma'] }] });
    const run = scenario.spawn(['apply', scenario.plan]);
    await lab.tell(
      host,
      `tries=0; while [ ! -e /var/lib/fettle-lab/slow.log ]; do sleep 0.1; tries=$((tries + 1)); [ $tries -lt 600 ] || exit 1; done
kill -9 $(grep -lsz program /proc/[0-9]*/cmdline | sed 's|/proc/\\([0-9]*\\)/.*|\\1|' | while read -r pid; do case $(cat /proc/$pid/comm) in python*) echo $pid ;; esac; done); rm -f ${slowFile}`,
    );
    const { code } = await run.done();
    assert.equal(code, 4);
    assert.deepEqual(await rpmVersions(lab, host, 'slow'), ['1.0-1.el9', '1.1-1.el9']);
    await scenario.fettle(['run', 'resume']);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'verified' });
    assert.deepEqual(await rpmVersions(lab, host, 'slow'), ['1.1-1.el9']);
    assert.deepEqual(await rpmVersions(lab, host, 'gamma'), ['1.0^git1-1.el9']);
  });
});
