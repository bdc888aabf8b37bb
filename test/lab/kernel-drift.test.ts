import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startLab } from './lab.ts';
import { nativeArchitecture } from './mirror.ts';
import { kernelUpdate } from './repository/catalogue-kernels.ts';
import { Scenario } from './scenario.ts';

describe('a planned kernel whose archive went on to another ABI', () => {
  test('is followed under supersede: installed, rebooted into, verified, and no drift when it is tried again', async () => {
    const architecture = await nativeArchitecture();
    const [meta, planned, next] = ['', '6.1.0-32-', '6.1.0-33-'].map((part) => `linux-image-${part}${architecture}`);
    assert.ok(meta !== undefined && planned !== undefined && next !== undefined);
    await using lab = await startLab({ name: 'kernel-drift', hosts: [{ name: 'd1', packages: [meta] }] });
    const scenario = await Scenario.start(lab, { rollout: { waves: ['rest'] }, install: { on_drift: 'supersede' } });
    await scenario.makePlan();
    for (const spec of kernelUpdate('6.1.0-33', '6.1.130-1', architecture)) await lab.repo.publish(spec);
    await lab.repo.remove(meta, { version: '6.1.129-1' });
    await lab.repo.remove(planned);
    await scenario.fettle(['apply', scenario.plan]);
    assert.deepEqual(await scenario.verdicts(), { d1: 'verified' });
    assert.equal(await lab.packageState('d1', next), 'ii 6.1.130-1');
    const detail = await scenario.json<{ updates: { name: string; state: string }[] }>(['run', 'show']);
    assert.deepEqual(
      [meta, planned].map((name) => detail.updates.find((update) => update.name === name)?.state),
      ['superseded', 'superseded'],
    );
    await scenario.fettle(['apply', scenario.plan]);
    assert.deepEqual(await scenario.verdicts(), { d1: 'verified' });
    assert.equal(await lab.packageState('d1', next), 'ii 6.1.130-1');
  });
});
