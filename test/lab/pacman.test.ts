// A host whose system pacman installs: Debian's own pacman over signed repositories made for the test, and fettle over ssh.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { usualPackages } from './pacman/catalogue.ts';
import { hostArchive, pacmanVersions } from './pacman/pacman-system.ts';
import { Scenario } from './scenario.ts';

interface PlanFile {
  readonly hosts: readonly {
    readonly steps: readonly { readonly manager: string }[];
    readonly updates: readonly { readonly name: string; readonly to: string }[];
    readonly leftOut: readonly { readonly name: string; readonly to: string; readonly reason: string }[];
  }[];
}

/** Each test has a host of its own. */
const names = ['scanned', 'whole', 'partial', 'replaced', 'blocked', 'dead', 'stale', 'torn'] as const;

type Name = (typeof names)[number];

/** What goes in on every host; `held` is in IgnorePkg. */
const everything = [
  ...['alpha 1.1-1', 'big 1.1-1', 'lab-keyring 20261001-1', 'linux 6.15.1.arch1-2', 'mpv 1:0.40.0-4'],
  ...['needsnew 1.1-1', 'newdep 1.1-1', 'nginx 1.28.0-3'],
];

describe('a host with pacman', () => {
  let lab: Lab;
  let scenario: Scenario;

  before(async () => {
    lab = await startLab({
      name: 'pacman',
      hosts: names.map((name) => ({ name, flavour: 'pacman', packages: usualPackages })),
    });
    scenario = await Scenario.start(lab, playbook());
  });

  after(async () => {
    await lab[Symbol.asyncDispose]();
  });

  function playbook(policy: Readonly<Record<string, unknown>> = {}, more: Readonly<Record<string, unknown>> = {}) {
    return { policy, rollout: { waves: ['rest'] }, ...more };
  }

  async function planned(host: Name) {
    await scenario.write({ ...playbook(), targets: { select: host } });
    await scenario.makePlan();
    const [plan] = (JSON.parse(await readFile(scenario.plan, 'utf8')) as PlanFile).hosts;
    assert.ok(plan);
    return plan;
  }

  /** What is said where there is no plan. */
  async function refused(host: Name, ...book: Parameters<typeof playbook>): Promise<string> {
    await scenario.write({ ...playbook(...book), targets: { select: host } });
    const { stdout, stderr } = await scenario.makePlan(4);
    return `${stdout}${stderr}`;
  }

  /** A repository that comes before the others. */
  const enable = (host: Name, repository: string) =>
    lab.tell(
      host,
      `sed -i 's|^#more|[${repository}]\\nServer = file://${hostArchive}/more/${repository}|' /etc/pacman.conf`,
    );

  const versionOf = async (host: Name, name: string) => (await pacmanVersions(lab, host, name))[0];

  const words = (updates: readonly { readonly name: string; readonly to: string }[]): readonly string[] =>
    updates.map(({ name, to }) => `${name} ${to}`).toSorted();

  test('is scanned by an account without rights as by root, its own lists stay as they are, and nothing is left', async () => {
    interface Scanned {
      readonly hosts: readonly { readonly updates: readonly { readonly name: string; readonly to: string }[] }[];
    }
    const scan = async (exitCode: number, ...more: readonly string[]) => {
      const { stdout } = await scenario.fettle(['scan', 'scanned', '--json', ...more], exitCode);
      return (JSON.parse(stdout) as Scanned).hosts[0]?.updates ?? [];
    };
    const places = 'ls -lA --time-style=full-iso /var/lib/pacman /var/lib/pacman/sync /tmp /var/tmp';
    const own = await lab.tell('scanned', places);
    await scenario.write({ ...playbook({}, { install: { max_age: '1s' } }), targets: { select: 'scanned' } });
    await scenario.makePlan();
    const root = await scan(0);
    assert.deepEqual(
      words(root),
      [...everything.filter((item) => !item.startsWith('newdep')), 'held 1.1-1'].toSorted(),
    );
    assert.deepEqual(await scan(0, '-e', 'ansible_become=false'), root);
    assert.equal(await lab.tell('scanned', places), own);
  });

  test('gets the whole upgrade, keys first, and nothing that IgnorePkg names', async () => {
    const { updates, steps, leftOut } = await planned('whole');
    assert.deepEqual(
      steps.map(({ manager }) => manager),
      ['pacman'],
    );
    assert.deepEqual(words(updates), everything);
    assert.deepEqual(
      leftOut.map(({ name, reason }) => [name, reason]),
      [['held', 'held on the host']],
    );
    await scenario.fettle(['apply', scenario.plan]);
    assert.deepEqual(await scenario.verdicts(), { whole: 'verified' });
    assert.equal(await versionOf('whole', 'mpv'), '1:0.40.0-4');
    assert.equal(await versionOf('whole', 'held'), '1.0-1');
    const log = await lab.tell('whole', "sed -n 's/.*ALPM. upgraded \\([^ ]*\\) .*/\\1/p' /var/log/pacman.log");
    assert.equal(log.split('\n')[0], 'lab-keyring');
    // A new package came as a dependency, and the others are not.
    assert.equal(await lab.tell('whole', 'pacman -Qqd'), 'newdep');
    // The lists are those of the upgrade, so that nobody makes a partial one of the older.
    assert.equal(
      await lab.tell('whole', 'pacman -Qu; ls /var/cache/fettle 2>/dev/null || :'),
      'held 1.0-1 -> 1.1-1 [ignored]',
    );
    assert.equal(await lab.tell('whole', 'ls /etc/*.pacnew'), '/etc/nginx.conf.pacnew');
    await scenario.assertNothingLeft('whole');
    assert.deepEqual((await planned('whole')).updates, []);
  });

  test('is refused where the playbook would leave anything out', async () => {
    const excluded = await refused('partial', { exclude: [{ packages: ['linux'] }] });
    assert.match(
      excluded,
      /Arch Linux does not support partial upgrades, and this would leave out linux 6\.15\.1\.arch1-2/,
    );
    assert.match(await refused('partial', { security_only: true }), /does not support partial upgrades.*alpha 1\.1-1/);
    assert.match(
      await refused('partial', { new_packages: 'refuse' }),
      /does not support partial upgrades.*newdep 1\.1-1/,
    );
    assert.equal(await versionOf('partial', 'alpha'), '1.0-1');
  });

  test('is refused where an installed package would be replaced, and an old plan has drifted there', async () => {
    await planned('replaced');
    await enable('replaced', 'replacing');
    await scenario.fettle(['apply', scenario.plan], 4);
    assert.deepEqual(await scenario.verdicts(), { replaced: 'drifted' });
    assert.match(await refused('replaced'), /would remove pluginy/);
    assert.equal(await versionOf('replaced', 'pluginy'), '1.0-1');
    assert.equal(await versionOf('replaced', 'alpha'), '1.0-1');
  });

  test('is refused in the words of pacman where nothing goes together', async () => {
    await enable('blocked', 'blocked');
    const text = await refused('blocked', {}, { install: { max_age: '1s' } });
    assert.match(text, /unable to satisfy dependency 'nosuchlib>=2' required by appx/);
  });

  test('is never reported as up to date where a repository is dead', async () => {
    await lab.tell(
      'dead',
      `mkdir ${hostArchive}/half; cp -a ${hostArchive}/new/core ${hostArchive}/half; ln -sfn ${hostArchive}/half ${hostArchive}/now`,
    );
    await scenario.write({ ...playbook({}, { install: { max_age: '1s' } }), targets: { select: 'dead' } });
    const { stdout, stderr } = await scenario.makePlan(4);
    assert.match(`${stdout}${stderr}`, /could not be refreshed[\s\S]*extra/);
  });

  test('is left alone while a lock is there that nobody holds, with what to do about it', async () => {
    await planned('stale');
    await lab.tell('stale', ': >/var/lib/pacman/db.lck');
    const { stdout, stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(`${stdout}${stderr}`, /db\.lck is there, but no process holds it/);
    assert.equal(await versionOf('stale', 'alpha'), '1.0-1');
    assert.equal(await lab.tell('stale', 'pacman -Qu || :'), '');
    await lab.tell('stale', 'rm /var/lib/pacman/db.lck');
    await scenario.fettle(['run', 'resume']);
    assert.deepEqual(await scenario.verdicts(), { stale: 'verified' });
  });

  test('is refused where an entry of its database is not whole', async () => {
    await planned('torn');
    await lab.tell('torn', 'mv /var/lib/pacman/local/big-1.0-1/desc /tmp/desc');
    const { stdout, stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(`${stdout}${stderr}`, /already broken: big/);
    assert.equal(await versionOf('torn', 'alpha'), '1.0-1');
  });
});
