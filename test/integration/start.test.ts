import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Rig } from './rig.ts';

test('npm start plans this machine, changes nothing on it, and records it in a ledger', async () => {
  await using rig = await Rig.make();
  const started = await rig.start(['npm', '--prefix', join(import.meta.dirname, '../..'), 'start']);
  assert.equal(started.code, 0, started.stderr);
  assert.match(started.stdout, /Plan this-machine[\s\S]*sha256 +[0-9a-f]{64}/);
  const runs = await rig.run(['run', 'list', '--json=kind,exitCode']);
  assert.deepEqual((JSON.parse(runs.stdout) as { runs: unknown[] }).runs, [{ kind: 'plan', exitCode: 0 }]);
  assert.equal((await rig.run(['ledger', 'verify'])).code, 0);
});
