// Scans and simulations of snaps: the real client and our scripts against a double of the daemon.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { snap } from '../../src/managers/snap/snap.ts';
import { noLinux } from '../support/hook-job.ts';
import { shellIsMissing } from '../support/shell-session.ts';
import { noClient, snapClient } from '../support/snapd/client.ts';
import { SnapHost } from '../support/snapd/host.ts';
import { ask, core, firefox, moment, mysql } from '../support/snapd/jobs.ts';
import type { InstalledSnap } from '../support/snapd/snapd.ts';

const noSnap = snapClient() === undefined ? noClient : undefined;

for (const shell of ['dash', 'busybox'] as const) {
  const skip = shellIsMissing(shell) ?? noLinux ?? noSnap ?? false;
  const begin = (snaps: readonly InstalledSnap[]) => SnapHost.start({ shell }, { snaps });

  describe(`snap under ${shell}`, { skip }, () => {
    test('is found and scanned without root, and nothing is left behind', async () => {
      await using host = await begin([firefox, core]);
      const sections = await ask(host, 'probe');
      assert.ok((sections.get('managers') ?? '').split('\n').includes('snap'));
      assert.deepEqual(readdirSync(host.home).toSorted(), ['bin', 'root']);
      const { packages, updates, problems } = snap.parseScan(sections, moment);
      assert.deepEqual(problems, []);
      assert.deepEqual(
        packages.map(({ name, version, unattended }) => [name, version, unattended]),
        [
          ['core22', '20251105 (2163)', 'changes'],
          ['firefox', '145.0-2 (7298)', 'changes'],
        ],
      );
      assert.deepEqual(
        updates.map(({ name, from, to, origins }) => [name, from, to, origins]),
        [['firefox', '145.0-2 (7298)', '146.0-1 (7355)', ['mozilla:latest/stable']]],
      );
      const [size = 0] = updates.map(({ sizeBytes }) => sizeBytes);
      assert.ok(size >= 293_847_552 && size < 296_000_000, String(size));
    });

    test('lists what is installed without a query of the store', async () => {
      await using host = await begin([firefox]);
      host.snapd.isStoreUp = false;
      const sections = await ask(host, 'summary');
      assert.deepEqual(
        snap.parseState(sections).packages.map(({ name }) => name),
        ['firefox'],
      );
      assert.equal(sections.has('snap-pending'), false);
    });

    test('distinguishes a host that is up to date from one whose store does not answer', async () => {
      await using host = await begin([core]);
      assert.deepEqual(snap.parseScan(await ask(host, 'probe'), moment).problems, []);
      host.snapd.isStoreUp = false;
      const scan = snap.parseScan(await ask(host, 'probe'), moment);
      assert.deepEqual([scan.updates, scan.packages.length], [[], 1]);
      const [problem] = scan.problems;
      assert.equal(problem?.isIncomplete, true);
      assert.match(
        problem.message,
        /^snapd cannot query its store: cannot list updates: .*Temporary failure in name res/,
      );
    });

    test('has no problem where no snap is installed yet', async () => {
      await using host = await begin([]);
      const { packages, updates, problems } = snap.parseScan(await ask(host, 'probe'), moment);
      assert.deepEqual([packages, updates, problems], [[], [], []]);
    });

    test('simulates what of a plan is still on offer', async () => {
      await using host = await begin([firefox, core, mysql]);
      const gone: InstalledSnap = { ...core, name: 'gone' };
      const asked = [firefox, { ...mysql, offered: { version: '8.0.45', revision: '190' } }, core, gone];
      const simulation = snap.parseSimulation(await ask(host, 'simulate', asked));
      assert.deepEqual(
        simulation.installs.map(({ name, from, to }) => [name, from, to]),
        [['firefox', '145.0-2 (7298)', '146.0-1 (7355)']],
      );
      assert.deepEqual(simulation.installed['snap/gone:'], null);
      assert.deepEqual(simulation.installed['snap/mysql:'], { version: '8.0.43 (180)', state: 'installed' });
      assert.deepEqual(simulation.available['mysql']?.[0]?.version, '8.0.44 (186)');
      assert.deepEqual(simulation.available['core22']?.[0]?.version, '20251105 (2163)');
      assert.deepEqual(host.snapd.asked, []);
      host.snapd.isStoreUp = false;
      const blind = await ask(host, 'simulate', asked);
      assert.throws(() => snap.parseSimulation(blind), { code: 'command', message: /cannot query its store/ });
    });
  });
}
