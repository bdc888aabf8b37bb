// A host whose system dnf 4 installs: Debian's own dnf and rpm over signed repositories made for the test, and fettle over ssh.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';
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
const names = ['scanned', 'secured', 'whole', 'dead', 'locked', 'troubled'] as const;

type Name = (typeof names)[number];

/** Made for the tests, of a key that is gone; valid on the first of January 2001. */
const expiredCertificate = `-----BEGIN CERTIFICATE-----
MIIBcDCCARegAwIBAgIUb2v50AC8InaQWnDkBSJ5ldoDTakwCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDb2xkMB4XDTAxMDEwMTAwMDAwMFoXDTAxMDEwMjAwMDAwMFow
DjEMMAoGA1UEAwwDb2xkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9BBq6Y+8
0xGlZU7zGW4Pcrfdg+8YmIMzTGDTMgLD0/aGbiQkRXZAbxB+u/ICR5ZXsntCNIM4
9cYkBoMPBupJ3KNTMFEwHQYDVR0OBBYEFI0TBonPLfzM7ixmT+5FkDtXpx9QMB8G
A1UdIwQYMBaAFI0TBonPLfzM7ixmT+5FkDtXpx9QMA8GA1UdEwEB/wQFMAMBAf8w
CgYIKoZIzj0EAwIDRwAwRAIgR0DDACi49K18YO+TS/IXmN1JKUCWnBpefrT+Q1UA
VJICIHulZDjyxka/xltBFGAwfWds83w6BdLsTiG8qAxy91GK
-----END CERTIFICATE-----
`;

describe('a host with dnf 4', () => {
  let lab: Lab;
  let scenario: Scenario;

  before(async () => {
    const packages = [...basePackages.map(({ name }) => name), 'streamed'];
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
    assert.match(reasons.get('streamed') ?? '', /module stream labmodule:1/);
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

  describe('in trouble as people have it', () => {
    const host = 'troubled';
    const conf = '/etc/dnf/dnf.conf';
    const repo = '/etc/yum.repos.d/lab.repo';

    interface Troubled {
      readonly hosts: readonly {
        readonly updates: readonly { readonly name: string }[];
        readonly problems: readonly string[];
      }[];
    }

    /** What a scan lists and complains of, when the lists were fetched anew if they can be. */
    async function troubles(planExitCode: number): Promise<{ names: readonly string[]; problems: string }> {
      await scenario.write({ ...playbook({}, { install: { max_age: '1s' } }), targets: { select: host } });
      await scenario.makePlan(planExitCode);
      const { hosts } = await scenario.json<Troubled>(['scan', host], 4);
      const [scanned] = hosts;
      assert.ok(scanned);
      return {
        names: scanned.updates.map(({ name }) => name),
        problems: scanned.problems.join('\n'),
      };
    }

    before(async () => {
      await lab.tell(host, `cp ${conf} /root/conf; cp ${repo} /root/repo`);
    });

    afterEach(async () => {
      await lab.tell(host, `cp /root/conf ${conf}; cp /root/repo ${repo}`);
    });

    test('prose of a plugin is no package, and best=0 changes nothing', async () => {
      await lab.tell(
        host,
        `cat >/usr/lib/python3/dist-packages/dnf-plugins/prose.py <<'PLUGIN'
import dnf
print('This system is not registered with an entitlement server. You can use subscription-manager to register.')


class Prose(dnf.Plugin):
    name = 'prose'

    def config(self):
        print('Updating Subscription Management repositories.')
PLUGIN
sed -i 's/^best=.*/best=False/' ${conf}`,
      );
      const { names, problems } = await troubles(0);
      assert.deepEqual(
        names.filter((name) => /^[A-Z]/.test(name)),
        [],
      );
      assert.ok(names.includes('alpha') && names.includes('broken'));
      assert.match(problems, /nothing provides nowhere/);
    });

    test('a repository that answers with a page is named, although it may be skipped', async () => {
      await lab.tell(
        host,
        `cp -r ${hostArchive}/updates ${hostArchive}/page; echo '<html><body>Log in</body></html>' >${hostArchive}/page/repodata/repomd.xml
sed -i 's|${hostArchive}/updates|${hostArchive}/page|; s/^repo_gpgcheck.*/repo_gpgcheck=0/' ${repo}
sed -i 's/^skip_if_unavailable=.*/skip_if_unavailable=True/' ${conf}`,
      );
      const { problems } = await troubles(4);
      assert.match(problems, /could not be refreshed[^]*updates/);
    });

    test('the proxy that dnf.conf alone names is used', async () => {
      await lab.tell(
        host,
        `setsid perl -MIO::Socket::INET -e 'my $door = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => 3128, ReuseAddr => 1) or die;
open my $up, ">", "/run/proxy-up"; close $up;
while (my $client = $door->accept) { my $line = <$client>; open my $log, ">>", "/run/proxy.log"; print $log $line; close $log;
  print $client "HTTP/1.0 403 Forbidden\\r\\nContent-Length: 0\\r\\n\\r\\n"; close $client }' </dev/null >/dev/null 2>&1 &
while [ ! -e /run/proxy-up ]; do sleep 0.05; done
sed -i 's|file://${hostArchive}/updates|http://updates.invalid|; s/^repo_gpgcheck.*/repo_gpgcheck=0/' ${repo}
printf 'proxy=http://127.0.0.1:3128\\nretries=1\\n' >>${conf}`,
      );
      const { problems } = await troubles(4);
      assert.match(problems, /could not be refreshed[^]*updates/);
      assert.match(await lab.tell(host, 'cat /run/proxy.log'), /^GET http:\/\/updates\.invalid\/repodata\/repomd\.xml/);
    });

    test('a client certificate that has expired or is gone is named where its repository does not answer', async () => {
      await lab.tell(
        host,
        `cat >/root/old.pem <<'PEM'
${expiredCertificate}PEM
printf '[old]\\nname=Old\\nbaseurl=https://127.0.0.1:9/old\\nsslclientcert=/root/old.pem\\n\\n[gone]\\nname=Gone\\nbaseurl=https://127.0.0.1:9/gone\\nsslclientcert=/root/gone.pem\\n' >>${repo}`,
      );
      const { problems } = await troubles(4);
      assert.match(problems, /'old'[^;]*; its client certificate \/root\/old\.pem expired on Jan 2 00:00:00 2001 GMT/);
      assert.match(problems, /'gone'[^;]*; its client certificate \/root\/gone\.pem is not there/);
    });

    test('a key that is neither imported nor named keeps every package of it out, with the reason', async () => {
      await lab.tell(
        host,
        `rpm -e --allmatches gpg-pubkey; sed -i '/^gpgkey/d; s/^repo_gpgcheck.*/repo_gpgcheck=0/' ${repo}`,
      );
      await planned(host, { include: [{ packages: ['alpha'] }] });
      const { stdout, stderr } = await scenario.fettle(['apply', scenario.plan], 4);
      assert.match(`${stdout}${stderr}`, /key/i);
      assert.deepEqual(await rpmVersions(lab, host, 'alpha'), ['1.0-1.el9']);
    });
  });
});
