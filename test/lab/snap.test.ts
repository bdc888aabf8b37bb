// A host with two package managers, apt and snap: the real client of snapd on it, the double of the daemon behind its
// socket, and fettle over ssh.
import assert from 'node:assert/strict';
import { chmod, copyFile, readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { noClient, snapClient } from '../support/snapd/client.ts';
import { firefox, mysql } from '../support/snapd/jobs.ts';
import { Snapd } from '../support/snapd/snapd.ts';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { Scenario } from './scenario.ts';

interface PlanFile {
  readonly hosts: readonly {
    readonly steps: readonly { readonly manager: string }[];
    readonly updates: readonly { readonly manager: string; readonly name: string; readonly to: string }[];
  }[];
}

const host = 'web';

describe('a host with apt and snap', () => {
  const snapd = new Snapd({ snaps: [firefox, mysql] });
  let lab: Lab;
  let scenario: Scenario;

  before(async () => {
    const client = snapClient();
    assert.ok(client !== undefined, noClient);
    lab = await startLab({ name: 'snap', hosts: [{ name: host, packages: ['fettle-tool'] }] });
    const { pid } = (await lab.host(host).status()) as { readonly pid: number };
    // Paths that lead through the host's own root, so that what is put there is in its mount namespace.
    const root = `/proc/${pid}/root`;
    await copyFile(client, `${root}/usr/bin/snap`);
    await chmod(`${root}/usr/bin/snap`, 0o755);
    await snapd.listen(root);
    scenario = await Scenario.start(lab, {
      policy: { include: [{ managers: ['apt', 'snap'] }] },
      rollout: { waves: ['rest'], budget: { percent: '100%' } },
    });
  });

  after(async () => {
    await snapd.stop();
    await lab[Symbol.asyncDispose]();
  });

  const planFile = async () => JSON.parse(await readFile(scenario.plan, 'utf8')) as PlanFile;

  test('is planned with the updates of both, the system first, and patched in one run', async () => {
    await scenario.makePlan();
    const [planned] = (await planFile()).hosts;
    assert.deepEqual(
      planned?.steps.map(({ manager }) => manager),
      ['apt', 'snap'],
    );
    assert.deepEqual(
      planned.updates.filter(({ manager }) => manager === 'snap').map(({ name, to }) => `${name} ${to}`),
      ['firefox 146.0-1 (7355)', 'mysql 8.0.44 (186)'],
    );
    await scenario.fettle(['apply', scenario.plan]);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'verified' });
    assert.equal(await lab.packageState(host, 'fettle-tool'), 'ii 1.4-2');
    assert.deepEqual([snapd.snap('firefox').revision, snapd.snap('mysql').revision], ['7355', '186']);
    await scenario.assertNothingLeft(host);
  });

  test('fails with the words of snapd where a refresh is undone, and keeps what went in', async () => {
    const words = 'run hook "post-refresh": cannot migrate the data';
    snapd.set('firefox', { offered: { version: '147.0-1', revision: '7400', size: 1_000_000 } });
    snapd.set('mysql', {
      offered: { version: '8.0.45', revision: '190', size: 1_000_000 },
      failing: { task: 'Run post-refresh hook', words },
    });
    await scenario.makePlan();
    const { stdout, stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(`${stdout}\n${stderr}`, /mysql[\s\S]*cannot migrate the data/);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'failed' });
    assert.deepEqual([snapd.snap('firefox').revision, snapd.snap('mysql').revision], ['7400', '186']);
  });

  test('is refused as drifted where another revision is on offer than was planned', async () => {
    snapd.set('mysql', { offered: { version: '8.0.45', revision: '190', size: 1_000_000 } });
    await scenario.makePlan();
    snapd.set('mysql', { offered: { version: '8.0.46', revision: '195', size: 1_000_000 } });
    const asked = snapd.asked.length;
    await scenario.fettle(['apply', scenario.plan], 4);
    assert.deepEqual(await scenario.verdicts(), { [host]: 'drifted' });
    assert.equal(snapd.asked.length, asked);
  });

  test('has a gap in its scan where the store does not answer', async () => {
    snapd.isStoreUp = false;
    const { stdout, stderr } = await scenario.fettle(['scan', host], 4);
    assert.match(`${stdout}\n${stderr}`, /snapd cannot query its store/);
  });
});
