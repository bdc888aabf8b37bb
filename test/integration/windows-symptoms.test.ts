// Trouble that users of other tools have reported in public, as far as a whole run is needed to see it: the real program
// against simulated hosts with the real PowerShell engine. The other cases are in test/remote/windows-symptoms.test.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { windowsModel, windowsUpdate } from '../support/windows/defaults.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { startWindowsFleet } from '../support/windows/fleet.ts';
import type { WindowsModel } from '../support/windows/model.ts';
import { Rig } from './rig.ts';
import type { Ended } from './rig.ts';

const reboot = { delayShare: 0.1, shutdownMs: 0, offMs: 100, bootingMs: 100, logonUiMs: 0, servicingMs: 0 };
const playbook = `kind: patch
version: 1
name: month
targets: { select: all }
verify: { retries: 0 }
reboot: if-needed
`;

async function patched(
  model: Partial<WindowsModel>,
  ...words: readonly string[]
): Promise<{ ended: Ended; after: WindowsModel }> {
  await using rig = await Rig.make();
  await using fleet = await startWindowsFleet(['win01'], { model: { reboot, ...model } });
  await rig.write('i.yaml', `all:\n  children:\n${fleet.inventory}`);
  await rig.write('p.yaml', playbook);
  const ended = await rig.run([...words, ...(words[0] === 'scan' ? [] : ['p.yaml']), '-i', 'i.yaml']);
  const [member] = fleet.members;
  assert.ok(member !== undefined);
  return { ended, after: member.host.model() };
}

describe('a run', { skip: skipWithoutDotnet }, () => {
  test('restarts a host for the update that went in although another failed (ansible.windows#22, wsus-client#41)', async () => {
    const updates = [
      windowsUpdate({ title: 'Cumulative (KB5000001)', rebootBehavior: 2 }),
      windowsUpdate({ title: 'Bad (KB5000002)', installResult: { resultCode: 4, hresult: '0x80070643' } }),
    ];
    const { ended, after } = await patched({ updates }, 'patch', '--yes');
    assert.equal(ended.code, 4, ended.stderr);
    assert.equal(after.boot.number, 42);
    assert.deepEqual(
      after.updates.map((update) => update.isInstalled),
      [true, false],
    );
  });

  test('asks the source of a host for the plan, after the restart, and between them where time has passed (packer-plugin-windows-update#80)', async () => {
    const { ended, after } = await patched({}, 'patch', '--yes');
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(after.boot.number, 42);
    const online = (after.agent.searches ?? []).filter((line) => line.startsWith('online'));
    // An answer is good for 90 s: a slow machine asks once more before the work and once more in the refresh.
    assert.ok(online.length >= 2 && online.length <= 4, after.agent.searches?.join('\n'));
  });

  for (const words of [['scan'], ['plan'], ['patch', '--yes']] as const) {
    test(`of ${words[0]} whose search ends with errors is never clean, though nothing was found (ansible.windows#366)`, async () => {
      const { agent } = windowsModel(Date.now());
      const { ended } = await patched({ agent: { ...agent, searchResult: 3 } }, ...words);
      assert.equal(ended.code, 4, ended.stdout + ended.stderr);
      assert.match(ended.stdout + ended.stderr, /updates may be missing/);
      assert.doesNotMatch(ended.stdout, /\t0\t0\t/);
      const notes = ended.stderr.match(/^note: no real windows-update was part of fettle's tests; /gm) ?? [];
      assert.equal(notes.length, words[0] === 'scan' ? 1 : 0, ended.stderr);
    });
  }
});
