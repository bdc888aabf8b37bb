// The watch of `fettle ping` as a process: lines for a pipe, an end of its own, an end by Ctrl-C.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Rig } from './rig.ts';
import { cli } from '../support/cli.ts';

const inventory =
  'all:\n  hosts:\n    here: { ansible_connection: local }\n    away: { ansible_host: 127.0.0.1, ansible_port: 1 }\n';

test('it ends when its time is over, and who did not answer makes it fail', async () => {
  await using rig = await Rig.make();
  await rig.write('inventory.yaml', inventory);
  const good = await rig.run(['ping', 'here', '--watch', '--for', '3s', '--interval', '1s']);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /^\S+Z\there\tup\t\d{4}-\d\d-\d\dT[\d:.]+Z\t\n$/);
  const bad = await rig.run(['ping', '--watch', '--for', '3s', '--interval', '1s', '--json']);
  assert.equal(bad.code, 5);
  const { hosts } = JSON.parse(bad.stdout) as { hosts: { host: string; state: string; bootedAt: string | null }[] };
  assert.deepEqual(
    hosts.map(({ host, state }) => [host, state]),
    [
      ['here', 'up'],
      ['away', 'down'],
    ],
  );
  assert.match(bad.stderr, /did not return: away/);
});

test('Ctrl-C is its ordinary end', async () => {
  await using rig = await Rig.make();
  await rig.write('inventory.yaml', inventory);
  const child = spawn(process.execPath, [cli, 'ping', 'here', '--watch', '--interval', '1s', '--jsonl'], {
    cwd: rig.directory,
    env: { PATH: process.env['PATH'], HOME: rig.directory },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'close');
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    text += String(chunk);
    if (text.includes('\n')) child.kill('SIGINT');
  }
  assert.deepEqual(await ended, [0, null]);
  const { host, state, bootId } = JSON.parse(text) as Record<string, string>;
  assert.deepEqual([host, state], ['here', 'up']);
  assert.match(bootId ?? '', /^[0-9a-f-]{36}$/);
});
