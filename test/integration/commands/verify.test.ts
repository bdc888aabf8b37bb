import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { encodePlan } from '../../../src/config/plan/file.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { openLedger } from '../../../src/ledger/ledger.ts';
import { Rig } from '../rig.ts';
import { hostPlanOf, opening, planOf } from '../../support/rollout-fixture.ts';

describe('verify', () => {
  let rig: Rig;

  before(async () => {
    rig = await Rig.make();
    await rig.write('i.yaml', 'all:\n  hosts:\n    kept: { ansible_host: 127.0.0.1, ansible_port: 1 }\n');
    const sha256 = 'a'.repeat(64);
    const hosts = ['kept', 'gone'].map((host) => hostPlanOf(host, 0, { inventorySha256: sha256 }));
    const plan = planOf([['kept', 'gone']], { playbook: { name: 'p', sha256 }, hosts });
    await using ledger = await openLedger({ path: rig.path('ledger.db'), clock: systemClock });
    const planSha256 = await ledger.putBlob(encodePlan(plan));
    const started = opening('01JAAAAAAAAAAAAAAAAAAAAAAA', ['kept', 'gone']);
    await ledger.append([
      { ...started, planSha256 },
      { ...started, run: '01JBBBBBBBBBBBBBBBBBBBBBBB', kind: 'shutdown', planSha256 },
    ]);
  });

  after(() => rig[Symbol.asyncDispose]());

  test('names hosts of the run that left the inventory, and is no ok without them', async () => {
    const { code, stderr } = await rig.run(['verify', '-i', 'i.yaml']);
    assert.match(stderr, /not verified, no longer in the inventory: gone \(1\)/);
    assert.equal(code, 4, stderr);
    const asked = await rig.run(['verify', 'kept', '-i', 'i.yaml']);
    assert.doesNotMatch(asked.stderr, /no longer in the inventory/);
    assert.equal(asked.code, 5, asked.stderr);
  });

  test('of a run that switched its hosts off is refused', async () => {
    const { code, stderr } = await rig.run(['verify', '-i', 'i.yaml', '--run', '01JBBBBBBBBBBBBBBBBBBBBBBB']);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /shut its hosts down/);
  });
});
