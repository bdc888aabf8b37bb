import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FettleError } from '../../../../src/domain/error.ts';
import { rejectsWith } from '../../../contract/session.ts';
import { eventually } from '../../../support/eventually.ts';
import type { WireFault } from '../../../support/winrm-server/faults.ts';
import { Rig } from '../rig.ts';

function soapFault(code: number, more: Partial<Extract<WireFault, { kind: 'fault' }>['fault']> = {}): WireFault {
  return { kind: 'fault', fault: { code, message: 'words of the host.', ...more } };
}

const times = (rig: Rig, name: string): number => rig.operations.filter((operation) => operation === name).length;

describe('a shell', () => {
  test('that the host no longer knows is replaced, and the command runs once', async () => {
    for (const code of [2150858843, 2147943418, 2150859174, 2150859230]) {
      await using rig = await Rig.start();
      const session = await rig.open();
      await session.exec({ command: 'echo first' });
      rig.server.faults.add({ on: 'Command', fault: soapFault(code) });
      assert.equal((await session.exec({ command: 'echo x' })).stdout.toString(), 'x\n');
      assert.equal(times(rig, 'Create'), 2, String(code));
      assert.deepEqual(rig.server.shells.length, 1);
    }
  });

  test('is replaced once only: a host whose new shells fail too is reported', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Command', times: 5, fault: soapFault(2150859174) });
    await rejectsWith(session.exec({ command: 'echo x' }), 'lost', /words of the host \[2150859174, QUOTA_MAX_OPER/);
    assert.equal(times(rig, 'Create'), 2);
  });

  test('is asked for once more where the profile of the account was just put away, and not for ever', async () => {
    for (const code of [1018, 0x800703fa]) {
      await using rig = await Rig.start();
      const session = await rig.open();
      rig.server.faults.add({ on: 'Create', fault: soapFault(code) });
      assert.equal((await session.exec({ command: 'echo x' })).stdout.toString(), 'x\n');
      assert.equal(times(rig, 'Create'), 2);
    }
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Create', times: 9, fault: soapFault(1018) });
    await rejectsWith(session.exec({ command: 'echo x' }), 'lost', /\[1018, ERROR_KEY_DELETED\] \(create\)/);
    assert.equal(times(rig, 'Create'), 2);
  });

  test('whose host no longer knows the command is deleted: it counts against the quota as long as it is there', async () => {
    for (const code of [2150858843, 2150859212, 2147943418]) {
      await using rig = await Rig.start({ server: { quotas: { maxShellsPerUser: 1 } } });
      const session = await rig.open();
      rig.server.faults.add({ on: 'Receive', fault: soapFault(code) });
      await rejectsWith(session.exec({ command: 'sleep 30' }), 'lost', /no longer knows the command/);
      assert.equal(rig.server.shells.length, 0);
      assert.equal((await session.exec({ command: 'echo on' })).stdout.toString(), 'on\n');
    }
  });

  test('whose operations are used up comes back by itself, although the host reports it in its own way', async () => {
    await using rig = await Rig.start({ server: { quotas: { maxOperationsPerUser: 3 } } });
    const session = await rig.open();
    for (let round = 0; round < 8; round += 1) {
      assert.equal((await session.exec({ command: `echo ${round}` })).stdout.toString(), `${round}\n`);
    }
    assert.equal(rig.server.shells.length, 1);
    assert.ok(times(rig, 'Create') >= 3);
  });

  test('that a quota denies names the quota, and what to do', async () => {
    await using rig = await Rig.start({ server: { quotas: { maxShellsPerUser: 0 } } });
    const session = await rig.open();
    await assert.rejects(session.exec({ command: 'echo x' }), (error: unknown) => {
      assert.ok(error instanceof FettleError);
      assert.match(error.message, /\[2150859173, QUOTA_MAX_SHELLS\] \(create\)/);
      assert.match(error.hint ?? '', /winrm get winrm\/config\/winrs/);
      assert.deepEqual([error.details?.['class'], error.details?.['fault']], ['quota', 2150859173]);
      return true;
    });
    assert.equal(session.isAlive, true);
  });

  test('that the account may not have is an auth error with the remedy', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Create', fault: soapFault(5) });
    await rejectsWith(session.exec({ command: 'echo x' }), 'auth', /\[5, ERROR_ACCESS_DENIED\] \(create\)/);
    assert.equal(session.isAlive, true);
    assert.equal((await session.exec({ command: 'echo x' })).exitCode, 0);
  });
});

describe('the start of a command', () => {
  test('whose answer was lost is asked about, and the command runs once', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Command', fault: { kind: 'drop-response' } });
    assert.equal((await session.exec({ command: 'cat; echo once', stdin: 'in ' })).stdout.toString(), 'in once\n');
    assert.equal(rig.server.stats.commandLines.length, 1);
  });

  test('that never arrived is sent again under the same id', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Command', fault: { kind: 'drop-request' } });
    assert.equal((await session.exec({ command: 'cat', stdin: 'x' })).stdout.toString(), 'x');
    assert.equal(rig.server.stats.commandLines.length, 1);
  });

  test('that is cancelled on its way is taken back on the host', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    await session.exec({ command: 'echo x' });
    await session.identify();
    rig.server.faults.add({ on: 'Command', fault: { kind: 'delay', ms: 60_000 } });
    const controller = new AbortController();
    const running = session.exec({ command: 'sleep 30', signal: controller.signal });
    const refused = rejectsWith(running, 'cancelled', /was cancelled/);
    await eventually(() => rig.server.faults.left === 0, 'the command is on its way');
    controller.abort();
    await refused;
    assert.equal((await session.exec({ command: 'echo on' })).stdout.toString(), 'on\n');
    assert.equal(rig.commands.running, 0);
  });
});

describe('stdin', () => {
  test('goes in pieces that fit into what every host takes', async () => {
    await using rig = await Rig.start({ server: { quotas: { maxEnvelopeBytes: 153_600 } } });
    const session = await rig.open();
    const stdin = 'x'.repeat(300_000);
    assert.equal((await session.exec({ command: 'wc -c', stdin })).stdout.toString().trim(), '300000');
    assert.equal(times(rig, 'Send'), Math.ceil(300_000 / (96 * 1024)));
  });

  test('is sent again to a host that was busy, after a pause, and not without end', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Send', times: 3, fault: soapFault(170) });
    assert.equal((await session.exec({ command: 'cat', stdin: 'x' })).stdout.toString(), 'x');
    assert.deepEqual(rig.clock.sleeps, [5_000, 5_000, 5_000]);
    rig.server.faults.add({ on: 'Send', times: 4, fault: soapFault(170) });
    await rejectsWith(session.exec({ command: 'cat', stdin: 'x' }), 'connect', /ERROR_BUSY\] \(send\)/);
  });

  test('that a command no longer reads is dropped, and its result counts', async () => {
    for (const code of [109, 232, 2150859212]) {
      await using rig = await Rig.start();
      const session = await rig.open();
      rig.server.faults.add({ on: 'Send', fault: soapFault(code) });
      assert.equal((await session.exec({ command: 'echo done; exit 6', stdin: 'x' })).exitCode, 6);
    }
  });

  test('whose fate is unknown is never sent twice: the outcome is unknown', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Send', fault: { kind: 'drop-response' } });
    await rejectsWith(
      session.exec({ command: 'cat', stdin: 'x' }),
      'lost',
      /the connection to win01 is lost: .*\(send\)/,
    );
    assert.equal(times(rig, 'Send'), 1);
    assert.equal(session.isAlive, false);
  });
});

describe('output', () => {
  test('is asked for again over a new connection, up to five times', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Receive', times: 5, fault: { kind: 'drop-request' } });
    assert.equal((await session.exec({ command: 'echo x' })).stdout.toString(), 'x\n');
    assert.deepEqual(rig.clock.sleeps, [500, 1_000, 2_000, 4_000, 5_000]);
    rig.server.faults.add({ on: 'Receive', times: 6, fault: { kind: 'drop-request' } });
    await rejectsWith(session.exec({ command: 'echo x' }), 'lost', /closed the connection before it answered/);
  });

  test('that the host keeps until it was delivered is not lost with a connection', async () => {
    const faults: readonly WireFault[] = [
      { kind: 'drop-response', isKept: true },
      { kind: 'status', status: 503 },
    ];
    for (const fault of faults) {
      await using rig = await Rig.start();
      const session = await rig.open();
      rig.server.faults.add({ on: 'Receive', fault });
      assert.equal((await session.exec({ command: 'echo x; exit 3' })).stdout.toString(), 'x\n');
    }
  });

  test('that went down with a connection leaves a gap, which the result reports', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    assert.equal((await session.exec({ command: 'echo x' })).hasGap, undefined);
    rig.server.faults.add({ on: 'Receive', fault: { kind: 'drop-response', isKept: false } });
    const { exitCode, stdout, hasGap } = await session.exec({ command: 'echo x; sleep 0.4; echo y; exit 3' });
    assert.equal(hasGap, true);
    assert.equal(exitCode, 3);
    assert.doesNotMatch(stdout.toString(), /x/);
  });

  test('that cannot be decoded is an error, not an empty result', async () => {
    for (const text of [
      '',
      'not xml',
      '<a/>',
      '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body/></s:Envelope>',
    ]) {
      await using rig = await Rig.start();
      const session = await rig.open();
      rig.server.faults.add({ on: 'Receive', fault: { kind: 'text', text } });
      await rejectsWith(session.exec({ command: 'echo x' }), 'command', /win01 .*cannot be parsed: .* \(receive\)/);
      assert.equal(session.isAlive, true);
    }
  });

  test('that is never reported ends with the fault, and the command is ended on the host', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Receive', fault: soapFault(87, { style: 'provider' }) });
    await rejectsWith(session.exec({ command: 'sleep 30' }), 'command', /\[87, ERROR_INVALID_PARAMETER\] \(receive\)/);
    assert.equal((await session.exec({ command: 'echo on' })).exitCode, 0);
    assert.equal(rig.commands.running, 0);
  });
});

describe('cleaning up', () => {
  test('a host that does not answer is given up in time', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    await session.exec({ command: 'echo x' });
    rig.server.faults.add({ on: 'Delete', fault: { kind: 'delay', ms: 60_000 } });
    await session[Symbol.asyncDispose]();
    assert.deepEqual([rig.server.faults.left, rig.server.shells.length], [0, 1]);
  });

  test('faults while cleaning up are no errors', async () => {
    await using rig = await Rig.start();
    const session = await rig.open();
    rig.server.faults.add({ on: 'Signal', fault: soapFault(995) });
    rig.server.faults.add({ on: 'Delete', fault: soapFault(2150858843) });
    assert.equal((await session.exec({ command: 'echo x' })).exitCode, 0);
    await session[Symbol.asyncDispose]();
    assert.equal(rig.server.faults.left, 0);
  });
});
