// fettle killed at the worst moments of an install and a reboot of a simulated Windows host, and resumed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { cli } from '../support/cli.ts';
import { windowsUpdate } from '../support/windows/defaults.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { startWindowsFleet, type WindowsFleet } from '../support/windows/fleet.ts';
import { Rig } from './rig.ts';

const root = join(import.meta.dirname, '../..');
const reboot = { delayShare: 0.1, shutdownMs: 0, offMs: 500, bootingMs: 500, logonUiMs: 0, servicingMs: 0 };
const playbook = `
kind: patch
version: 1
name: month
targets: { select: all }
reboot: { mode: if-needed }
verify: { retries: 0 }
`;

/** A host with one update, which asks for a reboot or does not. */
async function withHost(asks: boolean, work: (fleet: WindowsFleet, rig: Rig) => Promise<void>): Promise<void> {
  const title = 'A cumulative update (KB5065432)';
  const update = windowsUpdate({ title, rebootBehavior: asks ? 2 : 0, installSeconds: 1 });
  await using fleet = await startWindowsFleet(['win01'], { model: { reboot, updates: [update] } });
  await using rig = await Rig.make();
  await rig.write('inventory.yaml', `all:\n  children:\n${fleet.inventory}`);
  await work(fleet, rig);
}

async function assertDoneOnce(fleet: WindowsFleet, rig: Rig, reboots: number): Promise<void> {
  const resumed = await rig.run(['run', 'resume']);
  assert.equal(resumed.code, 0, `${resumed.stdout}${resumed.stderr}`);
  const model = fleet.members[0]?.host.model();
  assert.deepEqual(
    model?.history.map(({ resultCode }) => resultCode),
    [2],
    'one installation',
  );
  assert.equal(model?.updates[0]?.isInstalled, true);
  assert.equal(model?.boot.number, 41 + reboots, 'reboots');
  assert.deepEqual(Object.keys(model?.tasks ?? {}), ['fettle-scan']);
  assert.equal((await rig.run(['ledger', 'verify'])).code, 0);
}

describe('a fettle that is killed', { skip: skipWithoutDotnet, concurrency: 2 }, () => {
  for (const moment of ['before-start', 'after-claim', 'after-result', 'before-sweep'] as const) {
    test(`${moment.replace('-', ' ')}: run resume ends with one installation`, async () => {
      await withHost(false, async (fleet, rig) => {
        const mortal = [process.execPath, join(root, 'test/lab/dying-fettle.ts'), moment];
        const killed = await rig.start([...mortal, 'patch', await rig.write('playbook.yaml', playbook), '--yes']);
        assert.equal(killed.code, null, killed.stderr);
        await assertDoneOnce(fleet, rig, 0);
      });
    });
  }

  test('while the host is down: run resume ends with one reboot', async () => {
    await withHost(true, async (fleet, rig) => {
      const words = [cli, 'patch', await rig.write('playbook.yaml', playbook), '--yes'];
      const env = { PATH: dirname(process.execPath), HOME: rig.directory, FETTLE_LEDGER: rig.path('ledger.db') };
      const fettle = spawn(process.execPath, words, { cwd: rig.directory, env, stdio: 'ignore' });
      const ended = once(fettle, 'exit');
      await Promise.race([fleet.members[0]?.host.reaches('off'), ended]);
      fettle.kill('SIGKILL');
      assert.deepEqual(await ended, [null, 'SIGKILL']);
      await assertDoneOnce(fleet, rig, 1);
    });
  });
});
