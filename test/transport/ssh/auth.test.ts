import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { asFettleError, type FettleError } from '../../../src/domain/error.ts';
import type { Connection } from '../../../src/domain/host.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { openTransports, type Transports } from '../../../src/transport/registry.ts';
import type { Session } from '../../../src/transport/session.ts';
import { rejectsWith } from '../../contract/session.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeSshd } from '../../support/fake-sshd.ts';
import { isolatedArguments, loginName, makeKey, noSshd, Sshd, sshHost } from '../../support/sshd.ts';

function open(transports: Transports, host: ReturnType<typeof sshHost>): Promise<Session> {
  const transport = transports.get('ssh');
  assert.ok(transport !== undefined);
  return transport.open(host, {});
}

function transportsWith(env: Readonly<Record<string, string | undefined>> = {}): Transports {
  const base = { PATH: process.env['PATH'] };
  return openTransports({ env: { ...base, ...env }, homeDir: '/nonexistent', userName: loginName });
}

describe('keys', { skip: noSshd }, () => {
  let running: Sshd | undefined;
  before(async () => {
    if (noSshd === false) running = await Sshd.start({ config: ['MaxAuthTries 3'] });
  });
  after(() => running?.[Symbol.asyncDispose]());

  function sshd(): Sshd {
    assert.ok(running !== undefined);
    return running;
  }

  function allow(publicLine: string): void {
    appendFileSync(join(sshd().dir, 'authorized'), `${publicLine}\n`);
  }

  async function login(overrides: Partial<Connection>, env = {}): Promise<void> {
    await using transports = transportsWith(env);
    await using session = await open(transports, sshd().host('web01', overrides));
    assert.equal((await session.exec({ command: 'exit 5' })).exitCode, 5);
  }

  function withOptions(...options: string[]): string[] {
    const known = join(sshd().dir, 'known_hosts');
    const base = ['-F', 'none', '-o', `UserKnownHostsFile=${known}`, '-o', 'GlobalKnownHostsFile=none'];
    return [...base, ...options.flatMap((option) => ['-o', option])];
  }

  test('an RSA key signs with SHA-2, which is all that sshd takes today', async () => {
    const key = makeKey(sshd().dir, 'rsa', { type: 'rsa' });
    allow(key.publicLine);
    await login({ privateKeyFile: key.file });
  });

  test('an encrypted key opens with its passphrase, and each failure is reported', async () => {
    const key = makeKey(sshd().dir, 'locked', { passphrase: 'open sesame' });
    allow(key.publicLine);
    await login({ privateKeyFile: key.file, privateKeyPassphrase: new Secret('open sesame') });
    await rejectsWith(
      login({ privateKeyFile: key.file, privateKeyPassphrase: new Secret('open barley') }),
      'auth',
      /locked for 127\.0\.0\.1 cannot be decrypted with the passphrase given$/,
    );
    await rejectsWith(login({ privateKeyFile: key.file }), 'auth', /is encrypted, and no passphrase was given$/);
  });

  test('a key file that is missing, no key, or the public half is named with what is wrong', async () => {
    const { dir, clientKey } = sshd();
    await rejectsWith(
      login({ privateKeyFile: join(dir, 'absent') }),
      'auth',
      /absent for 127\.0\.0\.1 does not exist$/,
    );
    writeFileSync(join(dir, 'garbage'), 'no key at all');
    await rejectsWith(login({ privateKeyFile: join(dir, 'garbage') }), 'auth', /is not a valid private key/);
    await rejectsWith(
      login({ privateKeyFile: `${clientKey.file}.pub` }),
      'auth',
      /contains a public key, not a private/,
    );
    await rejectsWith(login({ privateKeyFile: dir }), 'auth', /cannot be opened: it is a directory/);
  });

  test('a key that the host does not know ends with what was tried and what the host allows', async () => {
    const key = makeKey(sshd().dir, 'stranger');
    const refused = /refuses the login of \S+ \(tried key \S+stranger; the host allows publickey\)/;
    await rejectsWith(login({ privateKeyFile: key.file }), 'auth', refused);
  });

  test('more keys than sshd tries end in its own words', async () => {
    const keys = ['a', 'b', 'c', 'd'].map((name) => makeKey(sshd().dir, `extra-${name}`));
    const sshArguments = withOptions('IdentityAgent=none', ...keys.map(({ file }) => `IdentityFile=${file}`));
    const host = { user: loginName, port: sshd().port, sshArguments, hostKeyPolicy: 'strict' } as const;
    await using transports = transportsWith();
    await rejectsWith(open(transports, sshHost('web01', host)), 'auth', /Too many authentication failures.*tried key/);
  });

  test('too many keys in the agent end with the hint at IdentitiesOnly, which is left out where it is set', async () => {
    const { dir } = sshd();
    const socket = join(dir, 'full-agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    const ended = once(agent, 'exit');
    try {
      await eventually(() => existsSync(socket), 'the agent is there');
      const keys = ['k', 'l', 'm', 'n'].map((name) => makeKey(dir, `crowd-${name}`).file);
      execFileSync('ssh-add', ['-q', ...keys], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
      await using transports = transportsWith({ SSH_AUTH_SOCK: socket });
      const failed = async (...options: string[]): Promise<FettleError> => {
        const asked = { user: loginName, port: sshd().port, sshArguments: withOptions(...options) };
        return open(transports, sshHost('web01', asked)).then(
          () => assert.fail('the host took none of these keys'),
          (error: unknown) => asFettleError(error),
        );
      };
      const crowded = await failed('IdentityFile=none');
      assert.match(crowded.message, /Too many authentication failures/);
      assert.match(crowded.hint ?? '', /with many keys in the agent.*IdentitiesOnly yes/);
      const narrowed = await failed('IdentitiesOnly=yes', `IdentityFile=${keys[0]}.pub`);
      assert.equal(narrowed.code, 'auth');
      assert.doesNotMatch(narrowed.hint ?? '', /IdentitiesOnly/);
    } finally {
      agent.kill();
      await ended;
    }
  });

  test('the agent signs for keys whose files are locked or not named at all, and one that is gone is passed over', async () => {
    const { dir, clientKey } = sshd();
    const locked = makeKey(dir, 'in-agent', { passphrase: 'secret' });
    const plain = makeKey(dir, 'plain-in-agent');
    allow(plain.publicLine);
    const socket = join(dir, 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    const ended = once(agent, 'exit');
    try {
      await eventually(() => existsSync(socket), 'the agent is there');
      const env = { ...process.env, SSH_AUTH_SOCK: socket };
      execFileSync('ssh-add', ['-q', plain.file], { env, stdio: 'ignore' });
      const user = { user: loginName, port: sshd().port };
      const fromEnvironment = { ...user, sshArguments: withOptions('IdentityFile=none') };
      await using transports = transportsWith({ SSH_AUTH_SOCK: socket });
      await using session = await open(transports, sshHost('web01', fromEnvironment));
      assert.equal(session.isAlive, true);
      // Named, locked, and the agent has another that the host takes.
      await using other = await open(transports, sshHost('web02', { ...fromEnvironment, privateKeyFile: locked.file }));
      assert.equal(other.isAlive, true);
      const only = withOptions('IdentitiesOnly=yes', `IdentityFile=${locked.file}`);
      const refused = open(transports, sshHost('web03', { ...user, sshArguments: only }));
      await rejectsWith(refused, 'auth', /in-agent is encrypted, and no passphrase was given/);
      const chosen = withOptions('IdentitiesOnly=yes', `IdentityFile=${plain.file}`);
      await using third = await open(transports, sshHost('web04', { ...user, sshArguments: chosen }));
      assert.equal(third.isAlive, true);
    } finally {
      agent.kill();
      await ended;
    }
    const stale = withOptions(`IdentityAgent=${socket}`, 'IdentityFile=none');
    await login({ privateKeyFile: clientKey.file, sshArguments: stale });
  });
});

describe('passwords', () => {
  const password = new Secret('correct horse');

  function host(name: string, port: number, overrides: Partial<Connection> = {}): ReturnType<typeof sshHost> {
    const sshArguments = isolatedArguments('none');
    return sshHost(name, { port, user: 'alice', password, hostKeyPolicy: 'off', sshArguments, ...overrides });
  }

  test('the password goes to a host that asks for one, after it has listed its methods', async () => {
    await using fake = await FakeSshd.start(({ password: told }) =>
      told === 'correct horse' ? 'accept' : { refuse: ['password'] },
    );
    await using transports = transportsWith();
    await using _session = await open(transports, host('web01', fake.port));
    assert.deepEqual(
      fake.attempts.map(({ method }) => method),
      ['none', 'password'],
    );
  });

  test('keyboard-interactive gets the password where it is the way in, but never another question', async () => {
    await using fake = await FakeSshd.start(({ method, password: told }) =>
      method === 'keyboard-interactive' && told === 'correct horse|' ? 'accept' : { refuse: ['keyboard-interactive'] },
    );
    fake.questions = ['Password: ', 'Verification code: '];
    await using transports = transportsWith();
    await using _session = await open(transports, host('web01', fake.port));
    assert.deepEqual(fake.attempts.at(-1)?.password, 'correct horse|');
    fake.questions = ['Verification code: '];
    const refused = /tried keyboard-interactive.*it asks "Verification code:", for which fettle has no answer/;
    await rejectsWith(open(transports, host('web02', fake.port)), 'auth', refused);
  });

  test('of the command line goes to no host whose key only the inventory would take', { skip: noSshd }, async () => {
    await using dir = await mkdtempDisposable(join(tmpdir(), 'fettle-known-'));
    await using fake = await FakeSshd.start(({ method }) =>
      method === 'password' ? 'accept' : { refuse: ['password'] },
    );
    const known = join(dir.path, 'known_hosts');
    const file = join(dir.path, 'ssh_config');
    const takes = `UserKnownHostsFile ${known}\nGlobalKnownHostsFile none\nStrictHostKeyChecking`;
    writeFileSync(file, `${takes} accept-new\n`);
    const asked = { hasOperatorPassword: true, sshArguments: isolatedArguments(known) } as const;
    await using transports = transportsWith();
    for (const own of [
      { ...asked, hostKeyPolicy: 'accept-new' },
      { ...asked, hostKeyPolicy: 'strict', sshArguments: ['-F', file] },
    ] as const) {
      const refused = open(transports, host('web01', fake.port, own));
      await rejectsWith(refused, 'host-key', /the inventory alone cannot make it trusted when a password/);
    }
    assert.deepEqual(fake.attempts, []);
    assert.equal(existsSync(known), false);
    // The operator's own word.
    const base = { env: { PATH: process.env['PATH'] }, homeDir: '/nonexistent', userName: loginName };
    await using willing = openTransports({ ...base, hostKeyPolicy: 'accept-new' });
    await using first = await open(willing, host('web01', fake.port, { ...asked, hostKeyPolicy: 'accept-new' }));
    // And from now on the key is known.
    await using second = await open(transports, host('web01', fake.port, { ...asked, hostKeyPolicy: 'accept-new' }));
    assert.deepEqual([first.isAlive, second.isAlive], [true, true]);
    assert.equal(fake.attempts.filter(({ method }) => method === 'password').length, 2);
  });

  test('a refused password is not tried by another method on the same host', async () => {
    await using fake = await FakeSshd.start(() => ({ refuse: ['password', 'keyboard-interactive'] }));
    await using transports = transportsWith();
    await rejectsWith(
      open(transports, host('web01', fake.port)),
      'auth',
      /tried password; the host allows password, keyboard/,
    );
    assert.equal(fake.attempts.filter(({ method }) => method !== 'none').length, 1);
  });

  test('a host that wants a key and then the password gets both', { skip: noSshd }, async () => {
    await using sshd = await Sshd.start();
    let isHalfIn = false;
    await using fake = await FakeSshd.start(({ method }) => {
      if (method === 'password' && isHalfIn) return 'accept';
      isHalfIn ||= method === 'publickey';
      return method === 'publickey' ? { refuse: ['password'], isPartial: true } : { refuse: ['publickey'] };
    });
    await using transports = transportsWith();
    const overrides = { privateKeyFile: sshd.clientKey.file };
    await using session = await open(transports, host('web01', fake.port, overrides));
    assert.equal(session.isAlive, true);
  });

  test('a wrong password reaches two hosts of the fleet and no third, however many are tried at once', async () => {
    await using fake = await FakeSshd.start(() => ({ refuse: ['password'] }));
    await using transports = transportsWith();
    const hosts = Array.from({ length: 12 }, (_, index) => host(`web${index}`, fake.port));
    const ends = await Promise.allSettled(hosts.map((item) => open(transports, item)));
    const reasons = ends.map((end) => (end.status === 'rejected' ? String(end.reason) : 'in'));
    assert.equal(fake.attempts.filter(({ method }) => method === 'password').length, 2);
    assert.equal(reasons.filter((reason) => reason.includes('tried password')).length, 2);
    assert.equal(
      reasons.filter((reason) => reason.includes('the password was not sent: it was refused twice')).length,
      10,
    );
  });

  test('waiting for the answers of other hosts does not count against the authentication limit', async () => {
    let refusals = 0;
    const { promise: isLate, resolve: late } = Promise.withResolvers<void>();
    await using slow = await FakeSshd.start(({ method }) => {
      if (method === 'none') return { refuse: ['password'] };
      refusals += 1;
      return 'hang';
    });
    await using quick = await FakeSshd.start(({ method }) => (method === 'none' ? { refuse: ['password'] } : 'accept'));
    await using transports = transportsWith();
    const limits = { connectMs: 5_000, handshakeMs: 5_000, authMs: 300, idleMs: 5_000 };
    const first = [1, 2].map((index) => open(transports, host(`slow${index}`, slow.port, { limits })));
    const ends = Promise.allSettled(first);
    await eventually(() => refusals === 2, 'both hosts hang');
    const opening = open(transports, host('quick', quick.port, { limits: { ...limits, authMs: 150 } }));
    void ends.then(() => late());
    await isLate;
    await using session = await opening;
    assert.equal(session.isAlive, true);
  });

  test('no secret is in any error', async () => {
    await using fake = await FakeSshd.start(() => ({ refuse: ['password'] }));
    await using transports = transportsWith();
    await assert.rejects(open(transports, host('web01', fake.port)), (error: Error) => {
      assert.doesNotMatch(JSON.stringify([error, error.message, error.stack, error.cause]), /correct horse/);
      return true;
    });
  });
});
