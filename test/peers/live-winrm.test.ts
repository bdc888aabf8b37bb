// A real Windows host, for whoever has one: FETTLE_LIVE_WINRM names an inventory, and every host of it is looked at. Nothing
// is installed and nothing restarts; what is started there is removed again. docs/windows.md says how to prepare one.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { formatDiagnostic } from '../../src/config/yaml/diagnostic.ts';
import { resolveHosts } from '../../src/config/host/host-settings.ts';
import { loadInventory } from '../../src/config/inventory/inventory.ts';
import type { Host } from '../../src/domain/host.ts';
import type { JobResult } from '../../src/domain/job.ts';
import { collectJob, followJob, startJob } from '../../src/remote/jobs.ts';
import { toOctal } from '../../src/remote/launch.ts';
import { CredentialGuard } from '../../src/transport/credential-guard.ts';
import type { Session } from '../../src/transport/session.ts';
import { WinrmTransport } from '../../src/transport/winrm/winrm.ts';
import { sessionContract, type ContractRig } from '../contract/session.ts';
import { Rig } from '../integration/rig.ts';
import { onWindows } from './windows-words.ts';

const inventoryFile = process.env['FETTLE_LIVE_WINRM'];
const skip =
  inventoryFile === undefined && 'set FETTLE_LIVE_WINRM to an inventory with a Windows host (docs/windows.md)';
const hosts = inventoryFile === undefined ? [] : await windowsHosts(inventoryFile);
/** The user's own home: `~` in the inventory, and certificates that were trusted before. */
const environment = { HOME: homedir() };

async function windowsHosts(file: string): Promise<readonly Host[]> {
  const loaded = await loadInventory({ sources: [file], extraVars: [] });
  const resolved = resolveHosts(loaded.inventory, [...loaded.inventory.hosts.keys()], { homeDir: homedir() });
  const wrong = [...loaded.diagnostics, ...resolved.diagnostics].filter(({ severity }) => severity === 'error');
  assert.deepEqual(wrong.map(formatDiagnostic), []);
  const found = resolved.hosts.filter(({ connection }) => connection.transport === 'winrm');
  assert.notEqual(found.length, 0, `${file} has no host with ansible_connection: winrm`);
  return found;
}

function transport(): WinrmTransport {
  const certificatesFile = join(mkdtempSync(join(tmpdir(), 'fettle-live-')), 'certificates');
  return new WinrmTransport({ credentials: new CredentialGuard(), certificatesFile, clock: systemClock });
}

/** A session whose connections can be cut: every socket that is made meanwhile is known, and ended once it is cut. */
async function cuttable(host: Host): Promise<ContractRig> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const made = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    // It is only about to connect.
    if (isCut) setImmediate(() => socket.destroy(new Error('cut by the test')));
    sockets.add(socket);
  };
  subscribe('net.client.socket', made);
  const session = await transport().open(host, {});
  return {
    session: onWindows(session),
    cut: () => {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      unsubscribe('net.client.socket', made);
      await session[Symbol.asyncDispose]();
    },
  };
}

if (hosts.length === 0) test('a real Windows host', { skip }, () => undefined);

for (const host of hosts) {
  sessionContract(`winrm to ${host.name}`, { skip: false, hasSignals: false, rig: () => cuttable(host) });

  describe(`the real Windows host ${host.name}`, () => {
    test('is reached by ping', async () => {
      const answer = await fettle(['ping', host.name, '--json']);
      assert.equal(answer.code, 0, answer.stderr);
    });

    test('reports by WMI, without a process, when it booted', async () => {
      await using session = await transport().open(host, {});
      const [row] = await session.query({ query: 'select LastBootUpTime,BuildNumber from Win32_OperatingSystem' });
      assert.match(String(row?.['BuildNumber']), /^\d{4,5}$/);
      assert.match(String(row?.['LastBootUpTime']), /^\d{14}\.\d{6}[+-]\d{3}$|^\d{4}-\d\d-\d\dT/);
    });

    test('is scanned: its updates are searched for, and nothing is changed', async () => {
      const answer = await fettle(['scan', host.name, '--json']);
      assert.equal(answer.code, 0, answer.stderr);
      const [row] = (JSON.parse(answer.stdout) as { hosts: Record<string, unknown>[] }).hosts;
      assert.equal(row?.['state'], 'scanned', JSON.stringify(row));
      assert.equal(row['securityKnown'], true);
      assert.match(String(row['osName']), /Windows/);
      assert.equal(typeof row['metadataFetchedAt'], 'string');
    });

    test('runs a job as SYSTEM, and keeps nothing of it but its name', async () => {
      await using session = await transport().open(host, {});
      const job = `live-${randomBytes(6).toString('hex')}`;
      const text = '[Security.Principal.WindowsIdentity]::GetCurrent().User.Value';
      const request = { fields: { script: toOctal(text) } };
      await startJob(session, { job, kind: 'hook', run: 'LIVE', controller: 'live-test', fence: 1, request });
      const { log, result } = await followed(session, job);
      assert.match(log, /^S-1-5-18\s*$/m);
      assert.deepEqual([result?.verdict, result?.exitCode], ['ok', 0]);
      await collectJob(session, job);
      assert.equal((await followJob(session, job, 0, { waitSec: 0, maxBytes: 1 })).status.phase, 'collected');
    });
  });
}

async function fettle([verb = '', name = '', ...more]: readonly string[]): ReturnType<Rig['run']> {
  await using rig = await Rig.make();
  return await rig.run([verb, name, '-i', inventoryFile ?? '', ...more], environment);
}

async function followed(
  session: Session,
  job: string,
): Promise<{ readonly log: string; readonly result: JobResult | undefined }> {
  let [offset, log] = [0, ''];
  for (;;) {
    const news = await followJob(session, job, offset, { waitSec: 10, maxBytes: 1024 * 1024 });
    offset = news.offset;
    log += news.log.toString('utf8');
    if (!['running', 'claimed'].includes(news.status.phase) && news.log.length === 0)
      return { log, result: news.result };
  }
}
