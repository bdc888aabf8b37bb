// A host with two package managers, dnf 4 and flatpak: the real program with a remote made for the test, and fettle over ssh.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { flatpakFirst, flatpakNext } from './flatpak/remote.ts';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { Scenario } from './scenario.ts';

interface PlanFile {
  readonly hosts: readonly {
    readonly steps: readonly { readonly manager: string }[];
    readonly updates: readonly { readonly manager: string; readonly name: string; readonly to: string }[];
    readonly leftOut: readonly { readonly manager: string; readonly name: string; readonly reason: string }[];
  }[];
}

const host = 'desk';

describe('a host with dnf and flatpak', () => {
  let lab: Lab;
  let scenario: Scenario;

  before(async () => {
    lab = await startLab({ name: 'flatpak', hosts: [{ name: host, flavour: 'dnf', packages: ['lab-plain'] }] });
    await lab.tell(host, flatpakFirst);
    await lab.tell(host, `${flatpakNext('second')}\nflatpak mask --system 'org.lab.View*'`);
    scenario = await Scenario.start(lab, {
      policy: { include: [{ managers: ['dnf', 'flatpak'] }] },
      rollout: { waves: ['rest'], budget: { percent: '100%' } },
    });
  });

  after(async () => {
    await lab[Symbol.asyncDispose]();
  });

  async function planned(): Promise<PlanFile['hosts'][number]> {
    await scenario.makePlan();
    const [found] = (JSON.parse(await readFile(scenario.plan, 'utf8')) as PlanFile).hosts;
    assert.ok(found);
    return found;
  }

  /** The content of what is deployed, by name. */
  async function deployed(): Promise<Readonly<Record<string, string>>> {
    const text = await lab.tell(
      host,
      `cd /var/lib/flatpak
for file in app/*/current/active/files/bin/run runtime/*/*/1/active/files/content; do
  name=\${file#*/}
  echo "\${name%%/*} $(cat $file)"
done`,
    );
    const pairs = text.split('\n').map((line): [string, string] => {
      const [name = '', content = ''] = line.split(' ');
      return [name, content];
    });
    return Object.fromEntries(pairs.filter(([name]) => name !== ''));
  }

  test('is scanned by an account without rights as by root, and nothing of it is left in its home', async () => {
    const updates = async (exitCode: number, ...more: readonly string[]) => {
      const { stdout } = await scenario.fettle(['scan', host, '--json', ...more], exitCode);
      const { hosts } = JSON.parse(stdout) as { readonly hosts: PlanFile['hosts'] };
      return hosts[0]?.updates.filter(({ manager }) => manager === 'flatpak');
    };
    const root = await updates(0);
    assert.equal(root?.length, 5);
    // The lists of dnf, which are signed, are root's alone to read.
    assert.deepEqual(await updates(4, '-e', 'ansible_become=false'), root);
    assert.equal(await lab.tell(host, 'find /home -path "*flatpak*"; find /tmp -name "fettle.*"'), '');
  });

  test('is planned with the updates of both, the system first, and patched in one run', async () => {
    const { steps, updates, leftOut } = await planned();
    assert.deepEqual(
      steps.map(({ manager }) => manager),
      ['dnf', 'flatpak'],
    );
    assert.deepEqual(updates.map(({ name }) => name).toSorted(), ['lab-plain', 'org.lab.Editor', 'org.lab.Platform']);
    const reasons = new Map(leftOut.map(({ name, reason }) => [name, reason]));
    assert.match(reasons.get('org.lab.Retired') ?? '', /would remove org\.lab\.Retired/);
    assert.match(reasons.get('org.lab.Modern') ?? '', /org\.lab\.Platform\/\S+\/2/);
    assert.match(reasons.get('org.lab.Viewer') ?? '', /held/);
    await scenario.fettle(['apply', scenario.plan]);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'verified' });
    assert.deepEqual(await deployed(), {
      'org.lab.Editor': 'second',
      'org.lab.Modern': '1',
      'org.lab.Platform': 'second',
      'org.lab.Retired': '1',
      'org.lab.Viewer': '1',
    });
    await scenario.assertNothingLeft(host);
    assert.deepEqual((await planned()).updates, []);
  });

  test('is left as it is where its remote moves on between plan and apply', async () => {
    await lab.tell(host, flatpakNext('third'));
    assert.equal((await planned()).updates.length, 2);
    await lab.tell(host, flatpakNext('fourth'));
    const { stdout, stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(`${stdout}\n${stderr}`, /org\.lab\.Editor/);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'drifted' });
    assert.equal((await deployed())['org.lab.Editor'], 'second');
  });

  test('has its other updates installed where one cannot be fetched, with the words of flatpak', async () => {
    const { updates } = await planned();
    const editor = updates.find(({ name }) => name === 'org.lab.Editor');
    // Objects of a commit that only its app has.
    await lab.tell(
      host,
      `cd /srv/flatpak/repo
commit=$(cat refs/heads/app/org.lab.Editor/*/stable)
rm objects/$(echo $commit | cut -c1-2)/$(echo $commit | cut -c3-).commit`,
    );
    assert.ok(editor);
    const { stdout, stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(`${stdout}\n${stderr}`, /org\.lab\.Editor[\s\S]*\.commit/);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'failed' });
    assert.deepEqual(await deployed(), {
      'org.lab.Editor': 'second',
      'org.lab.Modern': '1',
      'org.lab.Platform': 'fourth',
      'org.lab.Retired': '1',
      'org.lab.Viewer': '1',
    });
  });
});
