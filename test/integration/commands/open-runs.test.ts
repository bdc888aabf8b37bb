import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rig } from '../rig.ts';

const inventory = 'all:\n  hosts:\n    a: { ansible_connection: local }\n';

interface ListedRun {
  readonly kind: string;
  readonly exitName?: string;
  readonly reasons: readonly string[];
}

async function runsOf(rig: Rig): Promise<readonly ListedRun[]> {
  const { stdout } = await rig.run(['run', 'list', '--json']);
  return (JSON.parse(stdout) as { runs: ListedRun[] }).runs;
}

test('a plan that cannot be made once hosts were scanned is a run that is over, with the reason', async () => {
  await using rig = await Rig.make();
  await rig.write('i.yaml', inventory);
  await rig.write(
    'p.yaml',
    'kind: patch\nversion: 1\nname: x\ntargets: { select: all }\nrollout: { waves: [{ select: nosuch }, rest] }\n',
  );
  const { code, stderr } = await rig.run(['plan', 'p.yaml', '-i', 'i.yaml', '--no-refresh']);
  assert.equal(code, 2, stderr);
  const [run] = await runsOf(rig);
  assert.deepEqual([run?.kind, run?.exitName], ['plan', 'usage']);
  assert.match(run?.reasons.join() ?? '', /nosuch/);
});
