import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rejectsWith, sessionContract } from '../../../contract/session.ts';
import { eventually } from '../../../support/eventually.ts';
import { Rig, type RigOptions } from '../rig.ts';

const ways: Readonly<Record<string, RigOptions>> = {
  'winrm with sealed NTLM over http': { scheme: 'http' },
  'winrm with NTLM over https': { scheme: 'https' },
  'winrm with Basic over https': { scheme: 'https', server: { isBasicAllowed: true }, settings: { auth: 'basic' } },
};

for (const [name, options] of Object.entries(ways)) {
  sessionContract(name, {
    skip: false,
    hasSignals: false,
    rig: async () => {
      const rig = await Rig.start(options);
      const session = await rig.open();
      const cut = (): void => {
        rig.commands.state = 'off';
        rig.server.dropConnections();
      };
      return { session, cut, [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose]() };
    },
  });
}

describe('a winrm session', () => {
  test('makes one shell, reuses it, and removes it', async () => {
    await using rig = await Rig.start();
    {
      await using session = await rig.open();
      for (const word of ['one', 'two']) {
        assert.equal((await session.exec({ command: `echo ${word}` })).stdout.toString(), `${word}\n`);
      }
    }
    const one = ['Command', 'Send', 'Receive', 'Signal'];
    assert.deepEqual(rig.operations, ['Create', ...one, ...one, 'Delete']);
    assert.equal(rig.server.stats.connections, 1);
    assert.equal(rig.server.shells.length, 0);
  });

  test('costs six messages for one command after the login, with all that is cleaned up', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    const before = rig.server.stats.requests;
    await session.exec({ command: 'cat', stdin: 'x'.repeat(50_000) });
    await session[Symbol.asyncDispose]();
    assert.equal(rig.server.stats.requests - before, 6);
  });

  test('gives exit codes as signed numbers', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    assert.equal((await session.exec({ command: 'exit 255' })).exitCode, 255);
    assert.equal((await session.exec({ command: 'kill -KILL $$' })).exitCode, 0xc000013a | 0);
  });

  test('puts characters together that were torn apart', async () => {
    await using rig = await Rig.start({ server: { streamBytes: 3 } });
    const session = await rig.open();
    const text = 'größer: ドライバー \u{1F600}';
    assert.equal((await session.exec({ command: 'cat', stdin: text })).stdout.toString('utf8'), text);
  });

  test('a command that prints nothing for long is waited for: the time-out of the host is only a heartbeat', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    const result = await session.exec({ command: 'sleep 2.3; echo late' });
    assert.equal(result.stdout.toString(), 'late\n');
    const codes = rig.server.stats.operations.flatMap(({ faultCode }) => faultCode ?? []);
    assert.deepEqual([...new Set(codes)], [2150858793]);
    assert.ok(codes.length >= 2);
  });

  test('stops on the host what it abandons', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    await rejectsWith(session.exec({ command: 'sleep 30', timeoutMs: 50 }), 'timeout', /limit of 0\.05 s/);
    await eventually(() => rig.commands.running === 0, 'the command is gone from the host');
    assert.equal((await session.exec({ command: 'echo on' })).stdout.toString(), 'on\n');
    assert.ok(rig.operations.includes('Signal'));
  });

  test('outlives a connection that breaks while a command runs, and loses nothing of it', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    let isCut = false;
    const result = await session.exec({
      command: 'echo before; sleep 0.3; echo after; exit 5',
      onStdout: () => {
        if (!isCut) rig.server.dropConnections();
        isCut = true;
      },
    });
    assert.deepEqual([result.stdout.toString(), result.exitCode], ['before\nafter\n', 5]);
    assert.equal(rig.server.stats.logins, 2);
    assert.deepEqual(rig.clock.sleeps, [500]);
  });

  test('a host that restarts under a command makes its outcome unknown, and the session goes on in a new shell', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    const running = session.exec({ command: 'echo here; sleep 30', onStdout: () => rig.commands.restart() });
    await rejectsWith(running, 'lost', /no longer knows the command.*2150858843/);
    assert.equal((await session.exec({ command: 'echo again' })).stdout.toString(), 'again\n');
    assert.equal(rig.server.shells.length, 1);
  });

  test('answers queries without a process', async () => {
    const rows = Array.from({ length: 7 }, (_, at) => ({ Name: `part ${at}`, DeviceID: `<${at}>` }));
    const { ScriptedHost } = await import('../../../support/winrm-server/scripted-host.ts');
    const commands = new ScriptedHost({ classes: { win32_part: rows } });
    await using rig = await Rig.start({ commands, server: { pageItems: 3 } });
    const session = await rig.open();
    const found = await session.query({ query: "select * from Win32_Part where Name <> 'a'" });
    assert.deepEqual(
      found.map(({ Name, DeviceID }) => ({ Name, DeviceID })),
      rows,
    );
    const [system] = await session.query({ query: 'select LastBootUpTime from Win32_OperatingSystem' });
    assert.match(String(system?.['LastBootUpTime']), /^\d{14}\.\d{6}\+\d{3}$|^\d{4}-/);
    assert.equal(rig.server.shells.length, 0);
    assert.equal((await session.identify()).vendor, 'Microsoft Corporation');
  });

  test('an unknown class is an error of the query and leaves the session alive', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    await assert.rejects(session.query({ query: 'select * from Win32_Nothing' }), /\(query\)/);
    assert.equal(session.isAlive, true);
  });
});
