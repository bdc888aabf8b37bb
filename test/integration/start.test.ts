import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Rig } from './rig.ts';

test('npm start plans this machine, changes nothing on it, and records it in a ledger', async () => {
  await using rig = await Rig.make();
  const started = await rig.start(['npm', '--prefix', join(import.meta.dirname, '../..'), 'start']);
  assert.equal(started.code, 0, started.stderr);
  assert.match(started.stdout, /Plan this-machine[\s\S]*sha256 +[0-9a-f]{64}/);
  const listed = await rig.run(['run', 'list', '--json=kind,exitName']);
  const { runs } = JSON.parse(listed.stdout) as { runs: { kind: string; exitName: string }[] };
  assert.deepEqual(
    runs.map(({ kind }) => kind),
    ['plan'],
  );
  // Package lists of this machine may be old, or lack something: that is said, and accepted by npm start.
  assert.match(runs[0]?.exitName ?? '', /^(?:ok|partial|unreachable|unverified)$/);
  assert.equal((await rig.run(['ledger', 'verify'])).code, 0);
});
