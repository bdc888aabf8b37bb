// A shortage of this machine is never a failure of a host: file descriptors, getrlimit(2).
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli } from '../support/cli.ts';
import { loginName, noSshd, Sshd } from '../support/sshd.ts';
import { Rig, type Ended } from './rig.ts';

const names = Array.from({ length: 60 }, (_, index) => `h${index + 10}`);

function runWith(limit: number, rig: Rig, argv: readonly string[]): Promise<Ended> {
  return rig.start(['sh', '-c', `ulimit -n ${limit}; exec "$0" "$@"`, process.execPath, cli, ...argv]);
}

async function writeFleet(rig: Rig, vars: Readonly<Record<string, unknown>>): Promise<void> {
  const hosts = Object.fromEntries(names.map((name) => [name, {}]));
  await rig.write('inventory.yaml', JSON.stringify({ all: { hosts, vars } }));
}

function atOnce({ stderr }: Ended): number {
  const notices = [...stderr.matchAll(/warning: (\d+) hosts? at once instead of 60: this process may open 64 files/g)];
  assert.equal(notices.length, 1, stderr);
  return Number(notices[0]?.[1]);
}

function answered({ stdout }: Ended): number {
  const { hosts } = JSON.parse(stdout) as { hosts: { exitCode?: number }[] };
  return hosts.filter(({ exitCode }) => exitCode === 0).length;
}

test('with 64 file descriptors 60 local hosts go a few at once and all are well', async () => {
  await using rig = await Rig.make();
  await writeFleet(rig, { ansible_connection: 'local' });
  const ended = await runWith(64, rig, ['exec', '-f', '60', '--json', '--', 'true']);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(answered(ended), 60);
  assert.ok(atOnce(ended) < 14, ended.stderr);
});

test('with 64 file descriptors 60 hosts behind sshd go a few at once and all are well', { skip: noSshd }, async () => {
  await using sshd = await Sshd.start();
  for (const proxy of ['', ` -o 'ProxyCommand=/usr/sbin/sshd -i -f ${sshd.dir}/config'`]) {
    await using rig = await Rig.make();
    await writeFleet(rig, {
      ansible_host: '127.0.0.1',
      ansible_port: sshd.port,
      ansible_user: loginName,
      ansible_ssh_private_key_file: sshd.clientKey.file,
      ansible_ssh_common_args: `${sshd.arguments().join(' ')}${proxy}`,
    });
    const ended = await runWith(64, rig, ['exec', '-f', '60', '--json', '--', 'true']);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(answered(ended), 60);
    assert.ok(atOnce(ended) < (proxy === '' ? 40 : 14), ended.stderr);
  }
});

for (const argv of [['ping'], ['exec', '--', 'true'], ['scan'], ['ping', '--watch', '--for', '10s']]) {
  test(`where descriptors do not do for one host, fettle ${argv.join(' ')} is one message that blames no host`, async () => {
    await using rig = await Rig.make();
    await writeFleet(rig, { ansible_connection: 'local' });
    const { code, stderr, stdout } = await runWith(32, rig, argv);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^fettle: this process may open 32 files .* none was contacted\nhint: raise the limit/m);
    assert.doesNotMatch(stderr, /h\d\d|EMFILE/);
  });
}

test('a hook, a key and a session wait for descriptors of this machine, and work once there are some', async () => {
  await using rig = await Rig.make();
  await rig.write('key', 'no key at all\n');
  await rig.write(
    'full.ts',
    `
    import { closeSync, openSync } from 'node:fs';
    const src = ${JSON.stringify(join(import.meta.dirname, '../../src'))};
    const { spawnLocal } = await import(src + '/engine/local-command.ts');
    const { Identities } = await import(src + '/transport/ssh/identity.ts');
    const { openTransports } = await import(src + '/transport/registry.ts');
    const local = openTransports({ env: process.env, homeDir: '/', userName: 'root' }).get('local');
    const limits = { connectMs: 1, handshakeMs: 1, authMs: 1, idleMs: 1 };
    const host = { name: 'here', connection: { transport: 'local', limits } };
    const identities = new Identities({});
    const session = await local.open(host, {});
    const files = [];
    try {
      for (;;) files.push(openSync('/dev/null'));
    } catch {}
    const signal = new AbortController().signal;
    const hook = spawnLocal({ argv: ['echo', 'hook'], environment: process.env, timeoutMs: 60_000, outputLimitBytes: 100, signal });
    const command = session.exec({ command: 'echo command' });
    const early = await identities.get('key').catch((error) => error.code);
    // The hook and the command have tried by now.
    for (const file of files) closeSync(file);
    const said = [early, (await identities.get('key')).kind, String((await hook).output), String((await command).stdout)];
    console.log(JSON.stringify(said));
  `,
  );
  const { stdout, stderr } = await rig.start(['sh', '-c', 'ulimit -n 80; exec "$0" full.ts', process.execPath]);
  assert.deepEqual(JSON.parse(stdout || JSON.stringify(stderr)), ['EMFILE', 'unusable', 'hook\n', 'command\n']);
});
