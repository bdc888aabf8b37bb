import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FettleError } from '../../../../src/domain/error.ts';
import type { WinrmSettings } from '../../../../src/domain/host.ts';
import { Secret } from '../../../../src/domain/secret.ts';
import { CredentialGuard } from '../../../../src/transport/credential-guard.ts';
import { rejectsWith } from '../../../contract/session.ts';
import { eventually } from '../../../support/eventually.ts';
import { freePort } from '../../../support/sshd.ts';
import type { WinrmServerOptions } from '../../../support/winrm-server/winrm-server.ts';
import { listen } from '../peer.ts';
import { account, hostAt, Rig } from '../rig.ts';

const wrong = new Secret('not the password');

/** What an error says to do. */
async function hintOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof FettleError ? (error.hint ?? '') : String(error);
  }
  return assert.fail('nothing was refused');
}

describe('logging in', () => {
  test('over http every message is sealed and no password ever travels', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    await session.exec({ command: 'echo x' });
    const { operations, cleartextPasswords, refusedCleartext } = rig.server.stats;
    assert.ok(operations.length > 0 && operations.every(({ isSealed }) => isSealed));
    assert.deepEqual([cleartextPasswords, refusedCleartext], [0, 0]);
  });

  test('over https the channel binding is sent, so that a host that insists on it lets us in', async () => {
    await using rig = await Rig.start({ scheme: 'https', server: { bindingLevel: 'strict' } });
    const session = await rig.open();
    assert.equal((await session.exec({ command: 'echo x' })).exitCode, 0);
    assert.ok(rig.server.stats.operations.every(({ isSealed }) => !isSealed));
  });

  test('messages are sealed inside of TLS too where that is asked for', async () => {
    await using rig = await Rig.start({ scheme: 'https', settings: { messageEncryption: 'always' } });
    const session = await rig.open();
    assert.equal((await session.exec({ command: 'cat', stdin: 'x' })).stdout.toString(), 'x');
    assert.ok(rig.server.stats.operations.every(({ isSealed }) => isSealed));
  });

  test('a wrong password is offered once to a host, and to two hosts of the fleet at most', async () => {
    const guard = new CredentialGuard();
    for (const expected of [1, 1, 0]) {
      await using rig = await Rig.start({ guard, connection: { password: wrong } });
      const words =
        expected === 1 ? /win01 .* refuses the ntlm login of Administrator \(auth\)/ : /refused twice before/;
      await rejectsWith(rig.open(), 'auth', words);
      assert.equal(rig.server.stats.failedLogins.length, expected);
    }
  });

  test('a wrong Basic password is reported like any other', async () => {
    const settings = { auth: 'basic' } as const;
    await using rig = await Rig.start({
      scheme: 'https',
      server: { isBasicAllowed: true },
      settings,
      connection: { password: wrong },
    });
    await rejectsWith(rig.open(), 'auth', /refuses the basic login of Administrator/);
    assert.equal(rig.server.stats.failedLogins.length, 1);
  });

  test('what the host does not offer is named with what it offers, and costs no attempt', async () => {
    const guard = new CredentialGuard();
    await using basicOff = await Rig.start({ scheme: 'https', settings: { auth: 'basic' }, guard });
    await rejectsWith(basicOff.open(), 'auth', /does not accept basic; it offers Negotiate/);
    await using noNegotiate = await Rig.start({
      scheme: 'https',
      server: { isNegotiateOffered: false, isBasicAllowed: true },
      guard,
    });
    await rejectsWith(noNegotiate.open(), 'auth', /does not accept ntlm; it offers Basic/);
    assert.equal(noNegotiate.server.stats.cleartextPasswords, 0);
  });

  test('a host that withholds sealing is refused', async () => {
    const seal = 0x20;
    await using rig = await Rig.start({ server: { withheldFlags: seal } });
    await rejectsWith(rig.open(), 'auth', /sealing/);
    assert.deepEqual(rig.server.stats.failedLogins, []);
  });

  test('what would go in clear is refused before anything is sent to the host', async () => {
    const refused: readonly Partial<WinrmSettings>[] = [
      { scheme: 'http', auth: 'basic' },
      { scheme: 'http', auth: 'certificate', certFile: '/nonexistent' },
      { scheme: 'http', messageEncryption: 'never' },
      { scheme: 'https', auth: 'basic', messageEncryption: 'always' },
      { scheme: 'https', auth: 'certificate' },
    ];
    await using rig = await Rig.start();
    for (const settings of refused)
      await rejectsWith(rig.open(rig.with(settings)), 'config', /win01 cannot be reached/);
    assert.equal(rig.server.stats.connections, 0);
  });

  test('NTLM without a user is a mistake of the inventory', async () => {
    const host = hostAt(1, { settings: { scheme: 'http' }, connection: {} });
    const { user: _user, ...connection } = host.connection;
    await using rig = await Rig.start();
    await rejectsWith(rig.open({ ...host, connection }), 'config', /no user is set/);
  });
});

describe('a channel', () => {
  test('logs in again when the host has forgotten the login, once for each message', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Create', fault: { kind: 'status', status: 401 } });
    assert.equal((await session.exec({ command: 'echo x' })).exitCode, 0);
    assert.equal(rig.server.stats.logins, 2);
  });

  test('that keeps being refused gives up and never tries again', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Create', times: 5, fault: { kind: 'status', status: 401 } });
    await rejectsWith(session.exec({ command: 'echo x' }), 'auth', /keeps refusing requests/);
    const { logins } = rig.server.stats;
    assert.equal(logins, 2);
    assert.equal(session.isAlive, false);
    await rejectsWith(session.exec({ command: 'echo x' }), 'lost', /keeps refusing/);
    assert.equal(rig.server.stats.logins, logins);
  });

  test('a password that is changed meanwhile is refused once, not with every message', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    await session.exec({ command: 'echo x' });
    await session.identify();
    rig.server.faults.add({ on: 'Command', fault: { kind: 'status', status: 401 } });
    rig.server.faults.add({ on: 'Handshake', times: 50, fault: { kind: 'status', status: 401 } });
    const before = rig.server.stats.requests;
    await rejectsWith(session.exec({ command: 'echo x' }), 'auth', /refuses the ntlm login/);
    await rejectsWith(session.exec({ command: 'echo x' }), 'lost', /refuses the ntlm login/);
    assert.equal(rig.server.stats.requests - before, 2);
  });

  test('does not count on a connection that was quiet for a minute', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    await session.exec({ command: 'echo x' });
    await session.query({ query: 'select * from Win32_OperatingSystem' });
    assert.equal(rig.server.stats.connections, 1);
    rig.clock.pass(61_000);
    await session.exec({ command: 'echo x' });
    assert.equal(rig.server.stats.connections, 2);
    assert.equal(rig.operations.filter((name) => name === 'Create').length, 1);
  });

  test('notices a connection that the host has closed, and makes a new one', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    await session.exec({ command: 'echo x' });
    await session.query({ query: 'select * from Win32_OperatingSystem' });
    rig.server.dropConnections();
    await eventually(() => rig.server.stats.openConnections === 0, 'the connection is gone');
    assert.equal((await session.exec({ command: 'echo y' })).exitCode, 0);
    assert.equal(rig.server.stats.connections, 2);
  });

  test('never believes an answer in clear to a sealed question', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Create', fault: { kind: 'unsealed' } });
    await rejectsWith(session.exec({ command: 'echo x' }), 'auth', /answered a sealed request in clear text/);
  });

  test('never believes a fault in clear to a sealed question', async () => {
    await using rig = await Rig.start({ server: { quotas: { maxShellsPerUser: 0 } } });
    const session = await rig.open();
    rig.server.faults.add({ on: 'Create', fault: { kind: 'status', status: 500 } });
    await rejectsWith(
      session.exec({ command: 'echo x' }),
      'connect',
      /failed without giving a reason \[HTTP 500\] \(create\)/,
    );
  });

  test('drops a connection whose seal does not verify', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Receive', fault: { kind: 'broken-seal' } });
    const result = await session.exec({ command: 'echo x' });
    assert.equal(rig.server.stats.connections, 2);
    assert.equal(result.exitCode, 0);
  });

  test('reads answers however they come', async () => {
    const forms: readonly Partial<WinrmServerOptions>[] = [
      { shape: { splitBytes: 50 } },
      { shape: { chunkBytes: 11, hasTrailers: true } },
      { shape: { splitBytes: 20, chunkBytes: 300 } },
      { partStyle: 'plain' },
      { partStyle: 'space' },
    ];
    for (const server of forms) {
      await using rig = await Rig.start({ server });
      const session = await rig.open();
      assert.equal((await session.exec({ command: 'echo x' })).stdout.toString(), 'x\n');
    }
  });

  test('an answer that comes twice, or to another question, is not taken for the next one', async () => {
    for (const kind of ['repeat-response', 'foreign-relates-to'] as const) {
      for (const scheme of ['http', 'https'] as const) {
        await using rig = await Rig.start({ scheme });
        const session = await rig.open();
        rig.server.faults.add({ on: 'Receive', fault: { kind } });
        const gate = join(rig.dir, 'gate');
        const ending = session.exec({ command: `echo one; until [ -e ${gate} ]; do sleep 0.02; done; echo two` });
        await eventually(() => rig.server.stats.connections === 2, 'the connection out of step is replaced');
        writeFileSync(gate, '');
        const { stdout, hasGap } = await ending;
        const expected = kind === 'repeat-response' ? 'one\ntwo\n' : 'two\n';
        assert.equal(stdout.toString(), expected, `${kind} over ${scheme}`);
        if (kind === 'foreign-relates-to') assert.equal(hasGap, true);
      }
    }
  });

  test('a host that is booting is a failure of the connection', async () => {
    for (const [statusWhileBooting, words] of [
      [503, /its WinRM service does not run \[HTTP 503\]/],
      [500, /\[HTTP 500\]|refuses the|does not accept/],
    ] as const) {
      await using rig = await Rig.start({ server: { statusWhileBooting } });
      rig.commands.state = 'booting';
      await rejectsWith(rig.open(), 'connect', words);
    }
  });

  test('a wrong path, a closed port and an unknown name are distinguished', async () => {
    await using rig = await Rig.start();
    await rejectsWith(rig.open(rig.with({ path: '/other' })), 'connect', /has no WinRM at that path \[HTTP 404\]/);
    await rejectsWith(rig.open(rig.with({}, { port: await freePort() })), 'connect', /refuses the connection \(tcp\)/);
    await rejectsWith(rig.open(rig.with({}, { address: 'no.such.name.invalid' })), 'connect', /\((dns|tcp)\)/);
  });

  test('a listener that is not WinRM is reported at once', async () => {
    for (const [greeting, words] of [
      ['SSH-2.0-OpenSSH_9\r\n', /does not answer as WinRM/],
      ['', /closed the connection/],
    ] as const) {
      await using peer = await listen((socket) => socket.end(greeting));
      const host = hostAt(peer.port, { settings: { scheme: 'http' }, connection: {} });
      await using rig = await Rig.start();
      const opened = rig.open(host);
      await assert.rejects(opened, words);
    }
  });

  test('a host that accepts the connection and sends nothing is given up after its limit', async () => {
    await using peer = await listen(() => undefined);
    const limits = { connectMs: 1_000, handshakeMs: 1_000, authMs: 60, idleMs: 1_000 };
    const host = hostAt(peer.port, { settings: { scheme: 'http' }, connection: { limits } });
    await using rig = await Rig.start();
    await rejectsWith(rig.open(host), 'timeout', /sent nothing for 0\.06 s \(read limit\) \(auth\)/);
  });

  test('a login that is cancelled ends at once', async () => {
    await using peer = await listen(() => undefined);
    const host = hostAt(peer.port, { settings: { scheme: 'http' }, connection: {} });
    await using rig = await Rig.start();
    const controller = new AbortController();
    const opening = rig.transport.open(host, { signal: controller.signal });
    controller.abort();
    await rejectsWith(opening, 'cancelled', /was cancelled/);
  });

  test('errors name host, port, phase and a remedy, and no password', async () => {
    await using rig = await Rig.start({ connection: { password: wrong } });
    const hint = await hintOf(rig.open());
    assert.match(hint, /DOMAIN\\user/);
    const host = rig.with({}, { port: await freePort() });
    await assert.rejects(rig.open(host), (error: unknown) => {
      assert.ok(error instanceof FettleError);
      assert.deepEqual(error.details, {
        host: 'win01',
        port: host.connection.port,
        phase: 'tcp',
        code: 'ECONNREFUSED',
      });
      assert.ok(!JSON.stringify(error).includes(account.password));
      return true;
    });
  });
});
