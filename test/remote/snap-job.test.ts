// Jobs about snaps: the real client and our scripts against a double of the daemon.
import assert from 'node:assert/strict';

import { describe, test } from 'node:test';
import { startJob } from '../../src/remote/jobs.ts';
import { noLinux, ended, phaseOf } from '../support/hook-job.ts';
import { shellIsMissing } from '../support/shell-session.ts';
import { noClient, snapClient } from '../support/snapd/client.ts';
import { SnapHost } from '../support/snapd/host.ts';
import {
  clientOf,
  core,
  device,
  done,
  firefox,
  foreign,
  job,
  logs,
  mysql,
  notes,
  outcomes,
  runnerOf,
} from '../support/snapd/jobs.ts';
import type { InstalledSnap } from '../support/snapd/snapd.ts';

const noSnap = snapClient() === undefined ? noClient : undefined;

for (const shell of ['dash', 'busybox'] as const) {
  const skip = shellIsMissing(shell) ?? noLinux ?? noSnap ?? false;
  const begin = (snaps: readonly InstalledSnap[]) => SnapHost.start({ shell }, { snaps });

  describe(`jobs of snap under ${shell}`, { skip }, () => {
    test('refreshes each snap to its planned revision in a change of its own', async () => {
      await using host = await begin([firefox, core, mysql]);
      const result = await done(host, job('install', [firefox, mysql]));
      assert.equal(result.verdict, 'ok', result.message);
      assert.deepEqual(outcomes(result, [firefox, mysql]), [
        { name: 'firefox', now: '146.0-1 (7355)', state: 'installed' },
        { name: 'mysql', now: '8.0.44 (186)', state: 'installed' },
      ]);
      assert.deepEqual(
        host.snapd.changes.all().map(({ names, status }) => [names, status]),
        [
          [['firefox'], 'Done'],
          [['mysql'], 'Done'],
        ],
      );
      assert.ok(host.snapd.asked.every((body) => body.includes('"revision"') && !body.includes('ignore-running')));
    });

    test('begins nothing where everything is at its planned revision', async () => {
      await using host = await begin([core]);
      const result = await done(host, job('install', [core]));
      assert.deepEqual([result.verdict, host.snapd.asked], ['ok', []]);
      assert.deepEqual(
        outcomes(result, [core]).map(({ state }) => state),
        ['installed'],
      );
    });

    test('begins nothing where one of the planned revisions is not on offer any more', async () => {
      await using host = await begin([firefox, mysql]);
      const start = job('install', [firefox, mysql]);
      host.snapd.set('mysql', { offered: { version: '8.0.45', revision: '190' } });
      const result = await done(host, start);
      assert.equal(result.verdict, 'drift');
      assert.match(result.message ?? '', /^mysql: revision 186 is not on offer \(installed: 180, on offer: 190\)$/);
      assert.deepEqual(host.snapd.asked, []);
      assert.deepEqual(
        outcomes(result, [firefox, mysql]).map(({ state }) => state),
        ['failed', 'failed'],
      );
    });

    test('begins nothing where the store does not answer', async () => {
      await using host = await begin([firefox]);
      host.snapd.isStoreUp = false;
      const result = await done(host, job('install', [firefox]));
      assert.equal(result.verdict, 'failed');
      assert.match(result.message ?? '', /^snapd cannot query its store: cannot list updates:/);
      assert.deepEqual(host.snapd.asked, []);
    });

    test('is locked by a change of snapd that does not end, and names it', async () => {
      await using host = await begin([firefox, core]);
      host.snapd.changes.isPaused = true;
      host.snapd.changes.begin(foreign);
      const result = await done(host, job('install', [firefox], 1_000));
      assert.equal(result.verdict, 'locked');
      assert.equal(result.message, 'change 41 of snapd is in progress (Doing): Auto-refresh 2 snaps');
      assert.deepEqual(host.snapd.asked, []);
    });

    test('waits for a change of snapd and reports which, then goes on', async () => {
      await using host = await begin([firefox, core]);
      host.snapd.changes.isPaused = true;
      host.snapd.changes.begin(foreign);
      await startJob(host, job('install', [firefox], 600_000));
      const note = await notes(host, 'r1-install-1', 'waiting for snapd');
      assert.match(note, /change 41 of snapd is in progress \(Doing\): Auto-refresh 2 snaps$/);
      host.snapd.changes.isPaused = false;
      const { result } = await ended(host, 'r1-install-1');
      assert.equal(result?.verdict, 'ok');
    });

    test('does not wait for a change that is about other snaps, or about none', async () => {
      await using host = await begin([firefox, core]);
      host.snapd.changes.isPaused = true;
      host.snapd.changes.begin(device);
      host.snapd.changes.begin({ ...foreign, names: ['core22'] });
      await startJob(host, job('install', [firefox], 600_000));
      await logs(host, 'r1-install-1', '43\n');
      host.snapd.changes.isPaused = false;
      assert.equal((await ended(host, 'r1-install-1')).result?.verdict, 'ok');
    });

    test('asks again where snapd begins to refresh the same snap in between', async () => {
      await using host = await begin([firefox, mysql]);
      host.snapd.onRefresh = () => void host.snapd.changes.begin({ ...foreign, names: ['firefox'] });
      const result = await done(host, job('install', [firefox, mysql]));
      assert.equal(result.verdict, 'ok', result.message);
      assert.equal(host.snapd.asked.length, 3);
    });

    test('reports the words of snapd for a refresh that it undid, and refreshes the others', async () => {
      await using host = await begin([firefox, mysql]);
      const words = 'run hook "post-refresh": cannot migrate the data';
      host.snapd.set('firefox', { failing: { task: 'Run post-refresh hook', words } });
      const result = await done(host, job('install', [firefox, mysql]));
      assert.equal(result.verdict, 'failed');
      assert.equal(result.message, 'not refreshed: firefox');
      const [failed, other] = outcomes(result, [firefox, mysql]);
      assert.deepEqual([failed?.state, failed?.now], ['failed', '145.0-2 (7298)']);
      assert.match(failed?.message ?? '', /^cannot perform the following tasks: .*cannot migrate the data\)$/);
      assert.deepEqual(other, { name: 'mysql', now: '8.0.44 (186)', state: 'installed' });
    });

    test('reports apps that run, and never refreshes over them', async () => {
      await using host = await begin([firefox]);
      host.snapd.set('firefox', { running: [4711, 4712] });
      const result = await done(host, job('install', [firefox]));
      const message = 'cannot refresh "firefox": snap "firefox" has running apps (firefox), pids: 4711,4712';
      assert.deepEqual(outcomes(result, [firefox]), [
        { name: 'firefox', now: '145.0-2 (7298)', state: 'failed', message },
      ]);
      assert.equal(result.message, 'not refreshed: firefox');
    });

    test('reports a disk that is too full as such', async () => {
      await using host = await begin([firefox]);
      host.snapd.set('firefox', { failing: { task: 'Mount snap', words: 'write /snap: no space left on device' } });
      const result = await done(host, job('install', [firefox]));
      assert.deepEqual([result.verdict, result.message], ['disk', 'no disk space for: firefox']);
    });

    test('reports that an account may not change anything', async () => {
      await using host = await begin([firefox]);
      host.snapd.mayChange = false;
      const result = await done(host, job('install', [firefox]));
      assert.equal(result.verdict, 'failed');
      assert.equal(outcomes(result, [firefox])[0]?.message, 'access denied (try with sudo)');
    });

    test('outlives the usual signals while snapd works', async () => {
      await using host = await begin([firefox]);
      host.snapd.changes.isPaused = true;
      await startJob(host, job('install', [firefox]));
      await logs(host, 'r1-install-1', '41\n');
      for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT', 'SIGPIPE'] as const) {
        process.kill(runnerOf(host, 'r1-install-1'), signal);
      }
      host.snapd.changes.isPaused = false;
      const { result } = await ended(host, 'r1-install-1');
      assert.equal(result?.verdict, 'ok');
    });

    test('follows a change to its end over a restart of snapd and the end of its client', async () => {
      await using host = await begin([firefox]);
      host.snapd.changes.isPaused = true;
      await startJob(host, job('install', [firefox]));
      await logs(host, 'r1-install-1', '41\n');
      await host.snapd.close();
      await host.listen();
      process.kill(await clientOf(host, 'r1-install-1'), 'SIGKILL');
      await notes(host, 'r1-install-1', 'waiting for change 41 of snapd (firefox)');
      host.snapd.changes.isPaused = false;
      const { result } = await ended(host, 'r1-install-1');
      assert.equal(result?.verdict, 'ok', result?.message);
      assert.deepEqual(
        outcomes(result, [firefox]).map(({ state }) => state),
        ['installed'],
      );
    });

    test('whose job was killed leaves the change to snapd, and a repair waits for it', async () => {
      await using host = await begin([firefox]);
      host.snapd.changes.isPaused = true;
      const name = 'r1-install-1';
      await startJob(host, job('install', [firefox]));
      await logs(host, name, '41\n');
      process.kill(-runnerOf(host, name), 'SIGKILL');
      while ((await phaseOf(host, name)) === 'running');
      assert.equal(await phaseOf(host, name), 'crashed');
      await startJob(host, job('repair', [firefox], 600_000));
      assert.match(await notes(host, 'r1-repair-1', 'waiting for snapd'), /Refresh "firefox" snap$/);
      host.snapd.changes.isPaused = false;
      const { result } = await ended(host, 'r1-repair-1');
      assert.equal(result?.verdict, 'ok');
      assert.deepEqual(
        outcomes(result, [firefox]).map(({ state }) => state),
        ['installed'],
      );
      assert.equal(host.snapd.asked.length, 1);
    });

    test('refuses rows that name no snap and revision of the store, before anything is begun', async () => {
      await using host = await begin([firefox]);
      const start = job('install', [firefox]);
      const bad = [['firefox'], ['firefox', 'x1'], ['firefox', '07'], ['-v', '7'], ['Firefox', '7'], ['a', '1', '2']];
      for (const rows of [...bad, ['fire fox', '7'], ['firefox', '7;reboot'], ['', '7'], ['firefox', '12345678901']]) {
        const refused = startJob(host, { ...start, request: { rows: [rows] } });
        await assert.rejects(refused, (error: Error) => /no package|cannot|row/.test(error.message), rows.join(','));
      }
      assert.deepEqual(host.snapd.asked, []);
    });
  });
}
