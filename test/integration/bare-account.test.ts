// What a container may lack: an account, a home directory, places to write to, programs that can be trusted.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { Rig } from './rig.ts';
import { cli } from '../support/cli.ts';

const local = 'all: {hosts: {here: {ansible_connection: local}}}\n';
const remote = 'all: {hosts: {there: {ansible_host: 127.0.0.1, ansible_port: 1}}}\n';
const noAccount = 54_321;

describe('a user id without an account', { skip: process.getuid?.() === 0 ? false : 'needs root to take one' }, () => {
  async function runBare(inventory: string, env: Readonly<Record<string, string>>) {
    await using rig = await Rig.make();
    await rig.write('i.yaml', inventory);
    chmodSync(rig.directory, 0o755);
    const path = `${dirname(process.execPath)}:/usr/bin:/bin`;
    return spawnSync(process.execPath, [cli, 'ping', '-i', 'i.yaml'], {
      cwd: rig.directory,
      env: { PATH: path, ...env },
      uid: noAccount,
      gid: noAccount,
      encoding: 'utf8',
    });
  }

  test('and without HOME gets the variable to set as a hint', async () => {
    const { status, stderr } = await runBare(local, {});
    assert.equal(status, 2, stderr);
    assert.match(stderr, /there is no home directory: HOME is not set, and uid 54321 has no account\nhint: set HOME/);
    assert.doesNotMatch(stderr, /\n {4}at |ENOENT/);
  });

  test('gets an error that ssh needs one, not one about the inventory', async () => {
    const { status, stderr } = await runBare(remote, { HOME: '/tmp' });
    assert.equal(status, 2, stderr);
    assert.match(stderr, /ssh works only for users with an account on this machine: No user exists for uid 54321/);
    assert.doesNotMatch(stderr, /ansible_ssh_common_args/);
  });

  test('works where ssh is not needed', async () => {
    const { status, stderr } = await runBare(local, { HOME: '/tmp' });
    assert.equal(status, 0, stderr);
  });
});

test('a ledger where no directory can be made is one message and exit 13, also where it would be below /proc', async () => {
  await using rig = await Rig.make();
  await rig.write('i.yaml', local);
  for (const place of ['/proc/none/deep/ledger.db', rig.path('i.yaml/ledger.db')]) {
    const ended = await rig.run(['exec', '-i', 'i.yaml', '--ledger', place, '--', 'true']);
    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /the directory \S+ for the ledger cannot be created\nhint: /);
  }
  const started = await rig.run(['init', '/proc/none/deep']);
  assert.equal(started.code, 2, started.stderr);
  assert.match(started.stderr, /cannot be created/);
});

test('an inventory in a directory that everyone may write to is not used unless it is named', async () => {
  await using rig = await Rig.make();
  await rig.write('inventory.yaml', local);
  assert.equal((await rig.run(['inventory', 'list'])).code, 0);
  chmodSync(rig.directory, 0o777);
  const ended = await rig.run(['inventory', 'list']);
  assert.equal(ended.code, 2, ended.stderr);
  assert.match(
    ended.stderr,
    /inventory\.yaml is not used: \S+ can be written by everyone \(mode 0777\)\nhint: .*-i inventory\.yaml/,
  );
  assert.equal((await rig.run(['inventory', 'list', '-i', 'inventory.yaml'])).code, 0);
});

test('a program is not taken from a directory of PATH that everyone may write to', async () => {
  await using rig = await Rig.make();
  const open = rig.path('open');
  mkdirSync(open);
  const script = `#!/bin/sh\ntouch ${rig.path('taken')}\nexec /usr/bin/ssh "$@"\n`;
  writeFileSync(join(open, 'ssh'), script, { mode: 0o755 });
  const path = `${open}:${dirname(process.execPath)}:/usr/bin:/bin`;
  await rig.run(['doctor'], { PATH: path });
  assert.ok(existsSync(rig.path('taken')), 'the program is taken while only its owner may write the directory');
  rmSync(rig.path('taken'));
  chmodSync(open, 0o777);
  await rig.run(['doctor'], { PATH: path });
  assert.equal(existsSync(rig.path('taken')), false, 'the program of a directory that others may write was run');
});
