import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { HostKeyPolicy } from '../../../src/domain/host.ts';
import { openTransports } from '../../../src/transport/registry.ts';
import { fingerprint, HostKeys } from '../../../src/transport/ssh/known-hosts.ts';
import { KnownHostsFiles, parseKnownHosts } from '../../../src/transport/ssh/known-hosts-file.ts';
import { rejectsWith } from '../../contract/session.ts';
import { loginName, makeKey, noSshd, Sshd, type KeyType } from '../../support/sshd.ts';

const dir = mkdtempSync(join(tmpdir(), 'fettle-known-'));
after(() => rmSync(dir, { recursive: true }));

interface Key {
  readonly type: string;
  readonly base64: string;
  readonly blob: Buffer;
  readonly line: string;
}

function key(name: string, type: KeyType = 'ed25519'): Key {
  const { publicLine } = makeKey(dir, name, { type });
  const [word = '', base64 = ''] = publicLine.split(' ');
  return { type: word, base64, blob: Buffer.from(base64, 'base64'), line: `${word} ${base64}` };
}

const [mine, other, rsa] = [key('mine'), key('other'), key('rsa', 'rsa')];
let files = 0;

function file(...lines: readonly string[]): string {
  files += 1;
  const path = join(dir, `known-${files}`);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

interface Asked {
  readonly host?: string;
  readonly port?: number;
  readonly alias?: string;
  readonly user?: readonly string[];
  readonly global?: readonly string[];
  readonly policy?: HostKeyPolicy;
  readonly isHashed?: boolean;
  readonly isOfInventory?: boolean;
}

async function check(offered: Key, asked: Asked): Promise<void> {
  const query = {
    host: asked.host ?? 'web01',
    port: asked.port ?? 22,
    alias: asked.alias,
    userFiles: asked.user ?? [],
    globalFiles: asked.global ?? [],
    isHashed: asked.isHashed ?? false,
    isOfInventory: asked.isOfInventory ?? false,
    isHeld: false,
    rules: { revokedKeys: undefined, rsaBits: 1024 },
    env: process.env,
  };
  await (await HostKeys.read(query, new KnownHostsFiles())).check(offered.blob, asked.policy ?? 'strict');
}

describe('known host keys', () => {
  test('are written only where an inventory means known hosts, whatever file it names', async () => {
    const startUp = join(dir, '.bash_profile');
    const refused = check(mine, { user: [startUp], policy: 'accept-new', isOfInventory: true });
    await rejectsWith(refused, 'host-key', /the inventory has new host keys written to \S+\.bash_profile/);
    assert.equal(existsSync(startUp), false);
    const meant = join(dir, 'known_hosts.of-the-fleet');
    await check(mine, { user: [meant], policy: 'accept-new', isOfInventory: true });
    assert.match(readFileSync(meant, 'utf8'), /^web01 ssh-ed25519 /);
  });

  test('a key is trusted by its name, among several, whatever the case', async () => {
    const known = file('# the web', '', `db01,web01 ${mine.line} a comment`);
    await check(mine, { user: [known] });
    await check(mine, { user: [known], host: 'WEB01' });
    await rejectsWith(check(mine, { user: [known], host: 'web02' }), 'host-key', /web02 is not trusted.*not known/);
  });

  test('the second file, and those of the whole machine, count too', async () => {
    await check(mine, { user: [join(dir, 'absent'), file(`web01 ${mine.line}`)] });
    await check(mine, { global: [file(`web01 ${mine.line}`)] });
  });

  test('names that ssh-keygen hashed are found', async () => {
    const known = file(`web01 ${mine.line}`, `[web01]:2222 ${other.line}`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', known], { stdio: 'ignore' });
    assert.match(readFileSync(known, 'utf8'), /^\|1\|/);
    await check(mine, { user: [known] });
    await check(other, { user: [known], port: 2222 });
    await rejectsWith(check(mine, { user: [known], host: 'web02' }), 'host-key', /not known/);
  });

  test('another port is another name, but a key known for the bare name is trusted there as well', async () => {
    const known = file(`web01 ${mine.line}`, `[web01]:2222 ${other.line}`);
    await check(other, { user: [known], port: 2222 });
    await check(mine, { user: [known], port: 2222 });
    await rejectsWith(
      check(other, { user: [known], port: 2223 }),
      'host-key',
      /\[web01\]:2223 is not trusted.*not known/,
    );
  });

  test('patterns match and negations take back', async () => {
    const known = file(`web*,!web09,?b01 ${mine.line}`);
    await check(mine, { user: [known] });
    await check(mine, { user: [known], host: 'db01' });
    await rejectsWith(check(mine, { user: [known], host: 'web09' }), 'host-key', /not known/);
    await rejectsWith(check(mine, { user: [known], host: 'xweb01' }), 'host-key', /not known/);
  });

  test('an alias stands for name and port', async () => {
    await check(mine, { user: [file(`cluster ${mine.line}`)], alias: 'cluster', port: 2222 });
  });

  test('a changed key names the line, both fingerprints and how to remove the old one', async () => {
    const known = file('# first', `web01 ${mine.line}`);
    const refused = check(other, { user: [known], policy: 'accept-new' });
    await assert.rejects(refused, (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, 'host-key');
      assert.ok(error.message.includes(`${known}:2 has ssh-ed25519 ${fingerprint(mine.blob)}`), error.message);
      assert.ok(error.message.includes(`offered: ssh-ed25519 ${fingerprint(other.blob)}`));
      assert.ok(error.hint?.includes(`ssh-keygen -f '${known}' -R 'web01'`), error.hint);
      return true;
    });
  });

  test('a key of a type that is not known is no new host', async () => {
    const known = file(`web01 ${rsa.line}`);
    const refused = check(mine, { user: [known], policy: 'accept-new' });
    await rejectsWith(refused, 'host-key', /has a type that is not recorded for this host.*has ssh-rsa SHA256:/);
  });

  test('a revoked key is refused under every policy', async () => {
    const known = file(`web01 ${mine.line}`, `@revoked * ${mine.line}`);
    for (const policy of ['strict', 'accept-new', 'off'] as const) {
      await rejectsWith(check(mine, { user: [known], policy }), 'host-key', /is revoked in \S+:2/);
    }
    await check(other, { user: [known], host: 'web02', policy: 'off' });
  });

  test('a certificate authority is named as unsupported where it would decide, and only there', async () => {
    const known = file(`@cert-authority *.example.com ${other.line}`, `web02.example.com ${mine.line}`);
    for (const policy of ['strict', 'accept-new'] as const) {
      const refused = check(mine, { user: [known], host: 'web01.example.com', policy });
      await rejectsWith(refused, 'host-key', /:1 trusts it through a certificate authority .*not supported/);
    }
    await check(mine, { user: [known], host: 'web02.example.com' });
  });

  test('lines that are no keys decide nothing', () => {
    const text = `web01 1024 35 123456\n@unknown web01 ${mine.line}\nweb01\n@revoked web01 ${mine.line}\n`;
    assert.deepEqual(
      parseKnownHosts(text, 'known').map(({ marker, line }) => [marker, line]),
      [['revoked', 4]],
    );
  });

  test('fingerprints read as ssh-keygen prints them', () => {
    const printed = execFileSync('ssh-keygen', ['-lf', join(dir, 'rsa.pub')], { encoding: 'utf8' });
    assert.equal(printed.split(' ')[1], fingerprint(rsa.blob));
  });

  test('a file that cannot be opened is an error that gives the reason', async () => {
    await rejectsWith(check(mine, { user: [dir] }), 'host-key', /cannot be opened: it is a directory/);
  });
});

describe('accepting new keys', () => {
  test('an unknown key is written where only its owner reads it, and known from then on', async () => {
    const known = join(dir, 'new', '.ssh', 'known_hosts');
    await check(mine, { user: [known], policy: 'accept-new', port: 2222 });
    assert.equal(statSync(known).mode & 0o777, 0o600);
    assert.equal(statSync(join(known, '..')).mode & 0o777, 0o700);
    assert.equal(readFileSync(known, 'utf8'), `[web01]:2222 ${mine.line}\n`);
    await check(mine, { user: [known], port: 2222 });
    await rejectsWith(check(other, { user: [known], policy: 'accept-new', port: 2222 }), 'host-key', /has changed/);
  });

  test('many hosts at once get a line each, after a last line that was never ended', async () => {
    const known = file(`db01 ${mine.line}`);
    writeFileSync(known, `db01 ${mine.line}`);
    const shared = new KnownHostsFiles();
    const add = (name: string): Promise<void> =>
      shared.add(known, name, { type: other.type, blob: other.blob, isHashed: false });
    await Promise.all(Array.from({ length: 20 }, (_, index) => add(`web${index}`)));
    const keys = parseKnownHosts(readFileSync(known, 'utf8'), known);
    assert.deepEqual(keys.map(({ patterns }) => patterns[0] ?? '').sort(), [
      'db01',
      ...Array.from({ length: 20 }, (_, index) => `web${index}`).sort(),
    ]);
  });

  test('names are hashed where the configuration sets it, in the form ssh-keygen finds', async () => {
    const known = file();
    await check(mine, { user: [known], policy: 'accept-new', isHashed: true });
    assert.doesNotMatch(readFileSync(known, 'utf8'), /web01/);
    assert.match(execFileSync('ssh-keygen', ['-F', 'web01', '-f', known], { encoding: 'utf8' }), /found: line 2/);
    await check(mine, { user: [known] });
  });

  test('a file that cannot be written is an error, for the key would be new again next time', async () => {
    await assert.rejects(
      check(mine, { user: [join(dir, 'mine', 'known')], policy: 'accept-new' }),
      /cannot be written/,
    );
  });
});

describe('a real host', { skip: noSshd }, () => {
  test('is asked for the type of key it is known by, although it prefers another', async () => {
    await using sshd = await Sshd.start({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] });
    await using transports = openTransports({ env: process.env, homeDir: '/nonexistent', userName: loginName });
    for (const { publicLine } of sshd.hostKeys) {
      const known = sshd.knownHosts('one', [`[127.0.0.1]:${sshd.port} ${publicLine}`]);
      const host = sshd.host('web01', { sshArguments: sshd.arguments(known) });
      await using session = await transports.get('ssh')?.open(host, {});
      assert.equal(session?.isAlive, true);
    }
    const stranger = sshd.knownHosts('stranger', [`[127.0.0.1]:${sshd.port} ${other.line}`]);
    const host = sshd.host('web01', { sshArguments: sshd.arguments(stranger) });
    const opening = transports.get('ssh')?.open(host, {});
    assert.ok(opening !== undefined);
    await rejectsWith(opening, 'host-key', /its host key has changed/);
  });

  test('an unknown key is refused, taken with accept-new, and the word of the command line beats both', async () => {
    await using sshd = await Sshd.start();
    const known = join(sshd.dir, 'known_hosts.fresh');
    const environment = { env: process.env, homeDir: '/nonexistent', userName: loginName };
    const open = async (own: HostKeyPolicy, asked?: HostKeyPolicy): Promise<void> => {
      const settings = asked === undefined ? environment : { ...environment, hostKeyPolicy: asked };
      await using transports = openTransports(settings);
      const overrides = { sshArguments: sshd.arguments(known), hostKeyPolicy: own };
      await using _session = await transports.get('ssh')?.open(sshd.host('web01', overrides), {});
    };
    await rejectsWith(open('strict'), 'host-key', /its host key is not known/);
    await rejectsWith(open('accept-new', 'strict'), 'host-key', /its host key is not known/);
    await open('strict', 'accept-new');
    await open('strict');
    assert.equal(readFileSync(known, 'utf8').split('\n').length, 2);
  });
});
