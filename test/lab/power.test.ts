import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Flavour } from './base.ts';
import { startLab } from './lab.ts';
import { Scenario } from './scenario.ts';

for (const flavour of ['plain', 'systemd'] as const satisfies readonly Flavour[]) {
  describe(`a host that is ${flavour}`, () => {
    test('is left alone while a user has a terminal on it, then goes off and is verified to be off', async () => {
      await using lab = await startLab({ name: `power-${flavour}`, hosts: [{ name: 'desk', flavour }] });
      const scenario = await Scenario.start(lab, {});
      const desk = lab.host('desk');
      const bootId = await desk.bootId();
      const session = lab.ssh('desk', 'sleep 600', { terminal: true });
      await lab.tell('desk', 'until grep -qx sleep /proc/[0-9]*/comm; do sleep 0.1; done');
      const { stderr } = await scenario.fettle(['reboot', 'desk', '--force', '--if-idle', '--yes']);
      assert.match(stderr, /skipped: .*not rebooted: logged on: root on pts\//);
      assert.equal(await desk.bootId(), bootId);
      await desk.killSshSessions();
      await session;
      const off = await scenario.fettle(['shutdown', 'desk', '--if-idle', '--yes']);
      assert.match(off.stderr, /verified: off: it stopped answering/);
      assert.equal((await desk.status()).state, 'off');
      assert.deepEqual(await scenario.verdicts(), { desk: 'verified' });
      const gone = await scenario.fettle(['ping', '--watch', '--for', '2s', '--interval', '1s'], 5);
      assert.match(gone.stderr, /did not return: desk/);
      await desk.powerOn();
      await scenario.fettle(['ping', 'desk']);
      await scenario.fettle(['ledger', 'verify']);
    });
  });
}

test('a scheduled shutdown is cancelled, and none is reported where there is none', async () => {
  await using lab = await startLab({ name: 'power-cancel', hosts: [{ name: 'desk', flavour: 'systemd' }] });
  const scenario = await Scenario.start(lab, {});
  assert.match((await scenario.fettle(['shutdown', 'desk', '--cancel'])).stdout, /desk\tnothing was scheduled/);
  await lab.tell('desk', 'shutdown -h +10');
  assert.match((await scenario.fettle(['shutdown', 'desk', '--cancel'])).stdout, /desk\tcalled off: poweroff/);
  assert.equal(await lab.tell('desk', 'ls /run/systemd/shutdown/scheduled 2>/dev/null | wc -l'), '0');
});
