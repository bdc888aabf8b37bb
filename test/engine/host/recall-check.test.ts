import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeFleet } from '../../support/fake-fleet.ts';
import { planOf } from '../../support/rollout-fixture.ts';

const two = [['a'], ['b']] as const;

/** Scans before the change, by host. */
function scansBefore(fleet: FakeFleet): Readonly<Record<string, number>> {
  const scans = fleet.record.ofType('host.scanned').filter(({ purpose }) => purpose === 'before');
  return { a: scans.filter(({ host }) => host === 'a').length, b: scans.filter(({ host }) => host === 'b').length };
}

describe('what the check before the first wave found', () => {
  test('holds in the wave of a host that has not changed since: it is not scanned and simulated again', async () => {
    const fleet = new FakeFleet(['a', 'b']);
    const result = await fleet.apply(planOf(two));
    assert.deepEqual(result.counts, { verified: 2 }, result.reasons.join('; '));
    assert.deepEqual(scansBefore(fleet), { a: 1, b: 1 });
    const messages = fleet.record
      .ofType('step.finished')
      .flatMap(({ step, message }) => (step === 'preflight' && message !== undefined ? [message] : []));
    assert.deepEqual(messages, ['unchanged since the check', 'unchanged since the check']);
  });

  test('goes to the host with the install, so that it need not simulate once more what was judged', async () => {
    const fleet = new FakeFleet(['a', 'b']);
    const wanted = fleet.machine('a').fingerprint();
    await fleet.apply(planOf(two));
    const job = [...fleet.machine('a').jobs.values()].find(({ start }) => start.kind === 'install');
    assert.equal(job?.start.request.fields?.['fingerprint'], wanted);
  });

  test('is followed by a scan for updates even where everything was installed by then', async () => {
    const fleet = new FakeFleet(['a', 'b']);
    fleet.machine('a').packages.set('tool', '2');
    const result = await fleet.apply(planOf(two));
    assert.deepEqual(result.counts, { verified: 2 }, result.reasons.join('; '));
    const scans = fleet.record.ofType('host.scanned').filter(({ host }) => host === 'a');
    assert.deepEqual(
      scans.map(({ purpose, scan }) => [purpose, scan.isStateOnly === true]),
      [
        ['before', true],
        ['after', false],
      ],
    );
  });

  test('is found anew where the host has changed since: what drifted by then is refused', async () => {
    const fleet = new FakeFleet(['a', 'b']);
    fleet.machine('a').actions['install'] = (machine) => {
      machine.packages.set('tool', '2');
      fleet.machine('b').available.set('tool', '3');
      return {};
    };
    const result = await fleet.apply(planOf(two));
    assert.deepEqual(result.counts, { verified: 1, drifted: 1 });
    assert.deepEqual(scansBefore(fleet), { a: 1, b: 2 });
    assert.equal(fleet.installsOf('b'), 0);
  });

  test('is found anew after ten minutes: other services may run by then', async () => {
    const fleet = new FakeFleet(['a', 'b']);
    // Two jobs of a host, seven minutes each.
    fleet.machine('a').jobTicks = 840;
    const result = await fleet.apply(planOf(two));
    assert.deepEqual(result.counts, { verified: 2 }, result.reasons.join('; '));
    assert.deepEqual(scansBefore(fleet), { a: 1, b: 2 });
  });

  test('is found anew on a host that has no fingerprint', async () => {
    const fleet = new FakeFleet(['a', 'b']);
    for (const machine of fleet.machines.values()) machine.fingerprint = () => undefined;
    const result = await fleet.apply(planOf(two));
    assert.deepEqual(result.counts, { verified: 2 }, result.reasons.join('; '));
    assert.deepEqual(scansBefore(fleet), { a: 2, b: 2 });
  });
});

test('when the run is done with a host none of its jobs is left there', async () => {
  const fleet = new FakeFleet(['a', 'b']);
  fleet.machine('a').needsReboot = true;
  await fleet.apply(planOf(two));
  for (const { jobs } of fleet.machines.values()) {
    assert.deepEqual([...new Set([...jobs.values()].map(({ phase }) => phase))], ['collected']);
  }
});
