// What is wrong with a command line is said before anything is done.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Rig } from './rig.ts';

const inventory = 'all: {hosts: {here: {ansible_connection: local}}}\n';
const playbook = 'kind: patch\nversion: 1\nname: x\ntargets: { select: all }\n';

const wrong: readonly [title: string, argv: (rig: Rig) => readonly string[], says: RegExp][] = [
  [
    'an exit name that --ok does not know',
    (rig) => ['exec', '-i', 'i.yaml', '--ok', 'lockd', '--', `echo >${rig.path('done')}`],
    /--ok does not know the exit name "lockd"\nhint: one of ok, /,
  ],
  [
    'a name of every object, which is no exit name',
    (rig) => ['exec', '-i', 'i.yaml', '--ok', 'ok,constructor', '--', `echo >${rig.path('done')}`],
    /"constructor"/,
  ],
  [
    'a field that --json does not know',
    (rig) => ['exec', '-i', 'i.yaml', '--json=hostt', '--', `echo >${rig.path('done')}`],
    /--json has no field "hostt"/,
  ],
  [
    'a field of a plan that there is not',
    () => ['plan', 'p.yaml', '-i', 'i.yaml', '--json=wavs'],
    /--json has no field "wavs"/,
  ],
  [
    'a field of a run, before it is planned',
    () => ['patch', 'p.yaml', '-i', 'i.yaml', '--yes', '--json=wavs'],
    /"wavs"/,
  ],
  [
    'a plan file below a directory that is not there',
    () => ['plan', 'p.yaml', '-i', 'i.yaml', '-o', 'none/plan.json'],
    /--out \S+none\/plan\.json cannot be written: its directory does not exist/,
  ],
  [
    'a plan file that is a directory',
    (rig) => ['patch', 'p.yaml', '-i', 'i.yaml', '-o', rig.directory],
    /it is a directory/,
  ],
];
for (const [title, argv, says] of wrong) {
  test(`${title} ends the command before it begins`, async () => {
    await using rig = await Rig.make();
    await rig.write('i.yaml', inventory);
    await rig.write('p.yaml', playbook);
    const ended = await rig.run(argv(rig));
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, says);
    assert.doesNotMatch(ended.stderr, /node:internal|\n {4}at /);
    assert.equal(existsSync(rig.path('done')), false, 'the command was run');
    assert.equal(existsSync(rig.path('ledger.db')), false, 'a run was recorded');
  });
}

test('every field of a plan can be asked for, also one that this plan has not', async () => {
  await using rig = await Rig.make();
  await rig.write('i.yaml', 'all: {hosts: {away: {ansible_host: 127.0.0.1, ansible_port: 1}}}\n');
  await rig.write('p.yaml', playbook);
  const whole = await rig.run(['plan', 'p.yaml', '-i', 'i.yaml', '--json']);
  const fields = Object.keys(JSON.parse(whole.stdout) as object).filter((name) => name !== 'schema');
  const asked = await rig.run(['plan', 'p.yaml', '-i', 'i.yaml', `--json=limit,perSource,${fields.join(',')}`]);
  assert.equal(asked.code, whole.code, asked.stderr);
  assert.equal((JSON.parse(asked.stdout) as { limit: unknown }).limit, null);
});
