// Which boot a simulated Windows host is in, whether it is up, and how it is rebooted.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FettleError } from '../../src/domain/error.ts';
import { parseFrame } from '../../src/remote/frame.ts';
import { collectJob, followJob, startJob } from '../../src/remote/jobs.ts';
import type { JobNews } from '../../src/remote/jobs.ts';
import { runScript } from '../../src/remote/launch.ts';
import { probeScript } from '../../src/remote/scripts.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { createWindowsHost } from '../support/windows/host.ts';
import type { WindowsHost } from '../support/windows/host.ts';
import { WindowsSession } from '../support/windows/session.ts';

const marker = String.raw`HKLM\SOFTWARE\fettle\Boot`;
const logonSign = String.raw`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\AutoLogonChecked`;
const servicing = String.raw`HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Interface`;
const installer = String.raw`HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\InProgress`;
/** Ten seconds of shutdown.exe's delay in a tenth of the time. */
const quickly = { delayShare: 0.1, shutdownMs: 0, offMs: 50, bootingMs: 50, logonUiMs: 0, servicingMs: 0 };

const request = {};
const start = { job: 'r1-a-1', kind: 'reboot', run: 'R1', controller: 'one', fence: 1, request } as const;

async function look(session: WindowsSession): Promise<{ id: string; state: string; signs: string }> {
  const sections = parseFrame((await runScript(session, probeScript(), { verb: 'boot' })).stdout);
  const [id = '', state = '', signs = ''] = ['boot-id', 'system-state', 'starting'].map((name) => sections.get(name));
  return { id, state, signs };
}

async function reboot(session: WindowsSession): Promise<JobNews> {
  await startJob(session, start);
  for (;;) {
    const news = await followJob(session, start.job, 0, { waitSec: 10, maxBytes: 10_000 });
    if (news.status.phase === 'done') return news;
    assert.ok(['claimed', 'running'].includes(news.status.phase), news.status.phase);
  }
}

async function setServicing(host: WindowsHost, data: number): Promise<void> {
  await host.change((model) => {
    model.registry[servicing] = { values: { ServicingInProgress: { kind: 'DWord', data } } };
  });
}

describe('a boot of Windows', { skip: skipWithoutDotnet }, () => {
  test('has one id, whoever asks first and at once, and the next boot has another', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const seen = await Promise.all([look(session), look(session), look(session)]);
    const [{ id: first }] = seen;
    assert.match(first, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.deepEqual(
      seen.map(({ id }) => id),
      [first, first, first],
    );
    assert.equal(host.model().registry[marker]?.isVolatile, true);
    await host.reboot();
    const { id: second } = await look(session);
    assert.match(second, /^[0-9a-f-]{36}$/);
    assert.notEqual(second, first);
  });

  test('is not taken for an earlier one by a marker from its future, or by one that is malformed', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const { id } = await look(session);
    for (const [name, data] of [
      ['Since', '999999999999'],
      ['Since', 'x'],
      ['Id', 'x'],
    ] as const) {
      await host.change((model) => {
        const values = model.registry[marker]?.values ?? {};
        values[name] = { kind: 'String', data };
      });
      const again = await look(session);
      assert.match(again.id, /^[0-9a-f-]{36}$/);
      assert.notEqual(again.id, id);
    }
  });

  test('has no id where the account may not make one', async () => {
    const account = { name: 'WIN01\\clerk', sid: 'S-1-5-21-1-2-3-1001', isAdministrator: false };
    await using host = createWindowsHost({ model: { account } });
    assert.equal((await look(new WindowsSession(host))).id, '');
  });

  test('is starting until the logon prompt was shown, the component store is idle and core services run', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    assert.equal((await look(session)).state, 'running');
    await host.change((model) => {
      delete model.registry[logonSign];
    });
    assert.deepEqual(
      [(await look(session)).state, (await look(session)).signs],
      ['starting', 'the logon prompt was not shown yet'],
    );
    await host.change((model) => {
      model.registry[logonSign] = { isVolatile: true, values: {} };
    });
    await setServicing(host, 2);
    assert.equal((await look(session)).signs, 'the component store is busy');
    await setServicing(host, 1);
    assert.equal((await look(session)).state, 'running');
    await host.change((model) => {
      const { LanmanServer: server, Dnscache: names } = model.services;
      if (server !== undefined) server.status = 'StartPending';
      if (names !== undefined) Object.assign(names, { status: 'Stopped', startType: 'Disabled' });
    });
    assert.equal((await look(session)).signs, 'service LanmanServer does not run');
  });

  test('that never shows its logon prompt counts as up after ten minutes', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    await look(session);
    await host.change((model) => {
      delete model.registry[logonSign];
      const since = model.registry[marker]?.values['Since'];
      if (since !== undefined) since.data = String(Number(since.data) - 601);
    });
    assert.equal((await look(session)).state, 'running');
  });
});

describe('a reboot of Windows', { skip: skipWithoutDotnet }, () => {
  test('leaves its result on the host and is proved by another boot id', async () => {
    await using host = createWindowsHost({ model: { reboot: { ...quickly, logonUiMs: 600_000 } } });
    const session = new WindowsSession(host);
    const before = await look(session);
    // The host may go down under a call that is late.
    await startJob(session, start).catch((error: unknown) => assert.equal((error as FettleError).code, 'lost'));
    await host.reaches('off');
    await host.reaches('running');
    const { result, log } = await followJob(session, start.job, 0, { waitSec: 0, maxBytes: 10_000 });
    assert.deepEqual([result?.verdict, result?.exitCode], ['ok', 0]);
    assert.match(log.toString(), /shutdown\.exe \/r \/t 10 \/d p:2:18 .*: 0\n$/);
    const after = await look(session);
    assert.notEqual(after.id, before.id);
    assert.equal(after.signs, 'the logon prompt was not shown yet');
    await collectJob(session, start.job);
    assert.deepEqual(host.model().tasks, {});
  });

  test('takes the place of one that somebody scheduled, and waits for one that is in progress', async () => {
    for (const isInProgress of [false, true]) {
      const shutdown = { at: Date.now() + 3_600_000, isReboot: true, isInProgress, reason: '', comment: '' };
      await using host = createWindowsHost({ model: { shutdown } });
      const { result, log } = await reboot(new WindowsSession(host));
      assert.equal(result?.verdict, 'ok');
      const wanted = isInProgress ? /: 1115\n$/ : /: 1190\na shutdown was scheduled already and is replaced\n.*: 0\n$/s;
      assert.match(log.toString(), wanted);
    }
  });

  test('is refused while the component store or an installer is busy', async () => {
    await using host = createWindowsHost();
    await setServicing(host, 2);
    const { result } = await reboot(new WindowsSession(host));
    assert.deepEqual([result?.verdict, result?.message], ['busy', 'the component store is busy']);
    assert.equal(host.model().shutdown, undefined);
    await using other = createWindowsHost();
    await other.change((model) => {
      model.registry[installer] = { values: {} };
    });
    assert.equal((await reboot(new WindowsSession(other))).result?.message, 'Windows Installer is running');
  });
});
