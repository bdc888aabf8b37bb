// Hosts are logged in to while the ledger is opened, and no more than that is done on them before the run is recorded.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import Database from 'better-sqlite3';
import { eventually } from '../support/eventually.ts';
import { loginName, noSshd, Sshd } from '../support/sshd.ts';
import { Rig } from './rig.ts';

const cli = join(import.meta.dirname, '../../src/cli.ts');

function inventoryOf({ port, dir, clientKey }: Sshd): string {
  const words = `-o UserKnownHostsFile=${dir}/known_hosts -o GlobalKnownHostsFile=/dev/null`;
  return `all:
  hosts:
    web01: { ansible_host: 127.0.0.1, ansible_port: ${port}, ansible_user: ${loginName} }
  vars: { ansible_ssh_private_key_file: ${clientKey.file}, ansible_ssh_common_args: '${words}' }
`;
}

const logins = ({ log }: Sshd): number => log.split('Accepted publickey').length - 1;

describe('exec', { skip: noSshd }, () => {
  test('logs in while another process holds the ledger, and runs the command once the run is recorded', async () => {
    await using rig = await Rig.make();
    await using sshd = await Sshd.start();
    const inventory = await rig.write('i.yaml', inventoryOf(sshd));
    assert.equal((await rig.run(['exec', '-q', '-i', inventory, '--', 'true'])).code, 0);
    const others = new Database(rig.path('ledger.db'));
    others.exec('BEGIN IMMEDIATE');
    const done = rig.path('done');
    const running = rig.run(['exec', '-q', '-i', inventory, '--', `touch ${done}`]);
    await eventually(() => logins(sshd) === 2, 'the host is logged in to');
    assert.equal(existsSync(done), false);
    others.exec('ROLLBACK');
    const { code, stderr } = await running;
    assert.deepEqual([code, stderr, existsSync(done)], [0, '', true]);
    const types = others.prepare('SELECT type FROM event ORDER BY seq DESC LIMIT 5').pluck().all();
    others.close();
    assert.deepEqual(types, ['run.finished', 'step.finished', 'step.started', 'host.started', 'run.started']);
  });

  test('ends at once by a signal while another process holds the ledger', async () => {
    await using rig = await Rig.make();
    await using sshd = await Sshd.start();
    const inventory = await rig.write('i.yaml', inventoryOf(sshd));
    assert.equal((await rig.run(['exec', '-q', '-i', inventory, '--', 'true'])).code, 0);
    const others = new Database(rig.path('ledger.db'));
    others.exec('BEGIN IMMEDIATE');
    const env = { PATH: process.env['PATH'] ?? '', HOME: rig.directory, FETTLE_LEDGER: rig.path('ledger.db') };
    const child = spawn(process.execPath, [cli, 'exec', '-i', inventory, '--', 'true'], { env, stdio: 'ignore' });
    const ended = once(child, 'exit');
    await eventually(() => logins(sshd) === 2, 'the host is logged in to');
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [null, 'SIGTERM']);
    others.close();
  });

  test('runs nothing on a host where the ledger is broken, and reports the ledger alone', async () => {
    await using rig = await Rig.make();
    await using sshd = await Sshd.start();
    const inventory = await rig.write('i.yaml', inventoryOf(sshd));
    writeFileSync(rig.path('ledger.db'), 'this is no database, and long enough to be read as one\n'.repeat(100));
    const done = rig.path('done');
    const { code, stdout, stderr } = await rig.run(['exec', '-i', inventory, '--', `touch ${done}`]);
    assert.match(stderr, /^(?:fettle: )?the ledger \S+ledger\.db is not a ledger of fettle/);
    assert.doesNotMatch(stderr, /web01|its thread ended/);
    assert.notEqual(code, 0);
    assert.deepEqual([stdout, existsSync(done)], ['', false]);
  });
});
