import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandLine } from '../../../src/commands/invocation/command-line.ts';
import type { Invocation } from '../../../src/commands/invocation/invocation.ts';
import { createProgram } from '../../../src/commands/program.ts';

/** What is recorded of words typed. */
async function recorded(...argv: readonly string[]): Promise<readonly string[]> {
  let line: readonly string[] = [];
  const program = createProgram(
    '1',
    { write: () => undefined, writeError: () => undefined },
    async (spec, invocation: Invocation) => {
      line = commandLine({ name: spec.name, invocation });
    },
  );
  await program.parseAsync([...argv], { from: 'user' });
  return line;
}

test('the recorded command line gives the same command again', async () => {
  const words = ['scan', 'web', '--inventory', 'a.yaml', '--inventory', 'b.yaml', '--become', '--concurrency', '5'];
  assert.deepEqual(await recorded('scan', '-i', 'a.yaml', 'web', '-ib.yaml', '-bf5'), words);
  assert.deepEqual(await recorded(...words), words);
  assert.deepEqual(await recorded('run', 'show', '01J', '--json=run', '--no-color', '-vv'), [
    ...['run', 'show', '01J', '--json=run', '--no-color', '--verbose', '--verbose'],
  ]);
  assert.deepEqual(await recorded('plan', 'p.yaml', '--no-refresh', '--json'), [
    'plan',
    'p.yaml',
    '--json',
    '--no-refresh',
  ]);
  assert.deepEqual(await recorded('exec', 'web', '--', 'uname', '-r'), ['exec', 'web', '--', 'uname -r']);
});

const extra: readonly [typed: string, recorded: string][] = [
  ['ansible_password=hunter2', '{"ansible_password":"***"}'],
  ["a=1 ansible_become_password='hunter 2' b=2", '{"a":"1","ansible_become_password":"***","b":"2"}'],
  [
    '{"ansible_password": "hunter2", "a": [1, {"token": "hunter2"}]}',
    '{"ansible_password":"***","a":[1,{"token":"***"}]}',
  ],
  ['{ansible_password: hunter2, a: x}', '{"ansible_password":"***","a":"x"}'],
  ['proxy=http://u:hunter2@proxy:3128', '{"proxy":"http://u:***@proxy:3128"}'],
  ['@secrets.yaml', '@secrets.yaml'],
  ['hunter2', '***'],
  ['{"a": hunter2', '***'],
];
for (const [typed, kept] of extra) {
  test(`of -e ${typed.replaceAll(/hunter 2|hunter2/g, '…')} no secret is recorded`, async () => {
    assert.deepEqual(await recorded('ping', '-e', typed), ['ping', '--extra-vars', kept]);
  });
}

test('secrets in a command, a reason and a pattern are sealed', async () => {
  assert.deepEqual(await recorded('exec', '--reason', 'password=hunter2', '--', 'tool', '--password', 'hunter2', 'x'), [
    ...['exec', '--reason', 'password=***', '--', 'tool --password *** x'],
  ]);
});
