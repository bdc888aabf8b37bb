import assert from 'node:assert/strict';
import { join } from 'node:path';
import { aPackage } from '../domain/fixtures.ts';
import { describe, test } from 'node:test';
import { openLedger } from '../../src/ledger/ledger.ts';
import {
  append,
  planSha256,
  openAt,
  run,
  scan,
  scanned,
  StandingClock,
  started,
  temporaryDirectory,
  update,
  wholeRun,
} from './fixtures.ts';

const day = 86_400_000;
const web = { run, host: 'web01', hostId: 'web01' } as const;

describe('answers as of an earlier time', () => {
  test('what was missing and what was installed then is reported from the ledger alone', async () => {
    await using directory = await temporaryDirectory();
    const clock = new StandingClock();
    await using ledger = await openAt(directory.path, clock);
    const first = clock.nowMs;
    await ledger.append([
      started(),
      scanned(web, scan([update('app', '2'), update('held', '3', { heldBack: { kind: 'held' } })])),
    ]);
    clock.nowMs += day;
    const later = [aPackage({ name: 'app', arch: 'all', version: '2', source: 'app', sourceVersion: '2' })];
    const reboot = { needed: 'yes', reasons: ['kernel'], runningKernel: '1' } as const;
    await ledger.append([scanned(web, scan([], { packages: later, reboot }))]);
    assert.deepEqual((await ledger.pendingUpdates(clock.nowMs)).length, 0);
    assert.deepEqual(
      (await ledger.pendingUpdates(first)).map(({ name, firstSeenMs, hosts }) => [name, firstSeenMs, hosts]),
      [
        ['app', first, [{ host: 'web01', from: '1' }]],
        ['held', first, [{ host: 'web01', from: '1', heldBack: 'held' }]],
      ],
    );
    const then = (await ledger.hostStatus({ asOfMs: first, maxScanAgeMs: day })).find(
      (row) => row.scannedMs !== undefined,
    );
    const now = (await ledger.hostStatus({ asOfMs: clock.nowMs, maxScanAgeMs: day })).find(
      (row) => row.scannedMs !== undefined,
    );
    assert.deepEqual([then?.security, then?.heldBack, then?.rebootNeeded], [1, 1, 'no']);
    assert.deepEqual([now?.security, now?.heldBack, now?.rebootNeeded], [0, 0, 'yes']);
    assert.equal((await ledger.packagesAt('web01', first))?.packages[0]?.version, '1');
    assert.equal((await ledger.packagesAt('web01', clock.nowMs))?.packages[0]?.version, '2');
    assert.equal(await ledger.packagesAt('web01', first - 1), undefined);
    assert.deepEqual((await ledger.reboots(clock.nowMs)).pending, [
      { host: 'web01', sinceMs: clock.nowMs, reasons: ['kernel'] },
    ]);
  });

  test('a host that is scanned again without a change has one row of facts', async () => {
    await using directory = await temporaryDirectory();
    const clock = new StandingClock();
    await using ledger = await openAt(directory.path, clock);
    await ledger.append([started(), scanned(web, scan([]))]);
    clock.nowMs += day;
    await ledger.append([scanned(web, scan([]))]);
    const [host] = await ledger.hosts(clock.nowMs);
    assert.equal(host?.lastSeenMs, clock.nowMs);
    assert.equal((await ledger.stats()).blobs, 1);
  });
});

describe('where a run stands', () => {
  test('an install that was begun is open, with its job', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    await append(ledger, wholeRun.slice(0, 6));
    const state = await ledger.runState(run);
    assert.equal(state?.planSha256, planSha256);
    assert.deepEqual(state.hosts[0]?.openSteps, [{ step: 'install', attempt: 1, job: 'j-1', jobKind: 'install' }]);
    assert.equal(state.hosts[0].outcome, undefined);
  });

  test('a finished host has its outcome, its steps and its reboots', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    await append(ledger, wholeRun);
    const state = await ledger.runState(run);
    assert.deepEqual(state?.finished, { exitCode: 0, exitName: 'ok' });
    assert.equal(state.hosts[0]?.outcome?.verdict, 'verified');
    assert.deepEqual(state.hosts[0].doneSteps, ['install']);
    assert.equal(state.hosts[0].reboots, 1);
    const facts = await ledger.recordedFacts(run, 'web01');
    assert.deepEqual(facts.before, scan([update('app', '2')]));
    assert.equal(facts.results?.[0]?.state, 'installed');
  });

  test('a second attempt begins with nothing done', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    await ledger.append([...wholeRun, { type: 'host.started', ...web, attempt: 2 }]);
    const state = await ledger.runState(run);
    assert.equal(state?.hosts[0]?.attempt, 2);
    assert.deepEqual([state.hosts[0].doneSteps, state.hosts[0].outcome], [[], undefined]);
  });

  test('the latest run found for verify left its hosts on, and one without hosts is passed over', async () => {
    await using directory = await temporaryDirectory();
    const clock = new StandingClock();
    await using ledger = await openAt(directory.path, clock);
    const planSha256 = 'f'.repeat(64);
    for (const [id, more] of [
      ['01A', { kind: 'apply', planSha256 }],
      ['01B', { kind: 'shutdown', planSha256 }],
      ['01C', { kind: 'apply', planSha256, hosts: [] }],
    ] as const) {
      clock.nowMs += 1;
      await ledger.append([started(id, more)]);
    }
    assert.equal((await ledger.findRun()).run, '01B');
    assert.equal((await ledger.findRun(undefined, true)).run, '01A');
  });

  test('the latest run that changes hosts is found without a name, any by its beginning', async () => {
    await using directory = await temporaryDirectory();
    const clock = new StandingClock();
    await using ledger = await openAt(directory.path, clock);
    await assert.rejects(ledger.findRun(), /the ledger has no runs yet/);
    await ledger.append([started('01A'), started('01B')]);
    clock.nowMs += 1;
    await ledger.append([started('01C', { kind: 'scan' })]);
    assert.equal((await ledger.findRun()).run, '01B');
    clock.nowMs += 1;
    await ledger.append([started('01D', { kind: 'shutdown' })]);
    assert.equal((await ledger.findRun()).run, '01B');
    await ledger.append([started('01E', { kind: 'shutdown', planSha256: 'f'.repeat(64) })]);
    assert.equal((await ledger.findRun()).run, '01E');
    assert.equal((await ledger.findRun('01c')).run, '01C');
    await assert.rejects(ledger.findRun('01'), /more than one run 01/);
    assert.deepEqual(
      (await ledger.runs(2)).map((row) => row.run),
      ['01E', '01D'],
    );
  });

  test('logs come in order with what was printed', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    const outputSha256 = await ledger.putBlob(Buffer.from('setting up app\n'));
    const step = { ...web, attempt: 1, step: 'install', job: 'j' } as const;
    await ledger.append([
      started(),
      { type: 'host.started', ...web, attempt: 1 },
      { type: 'step.started', ...step },
      { type: 'step.finished', ...step, ok: true, outputSha256 },
    ]);
    const [row] = await ledger.runLogs(run, 'web01');
    assert.equal(Buffer.from(row?.output ?? []).toString(), 'setting up app\n');
    assert.deepEqual(await ledger.runLogs(run, 'nobody'), []);
  });
});

describe('stop requests', () => {
  test('a stop requested by one process reaches another', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    await using other = await openAt(directory.path);
    assert.equal(await ledger.stopRequested('r1'), false);
    await other.requestStop('r1');
    assert.equal(await ledger.stopRequested('r1'), true);
    await ledger.withdrawStop('r1');
    assert.equal(await other.stopRequested('r1'), false);
  });
});

test('a backup is a whole ledger, made while another writes', async () => {
  await using directory = await temporaryDirectory();
  await using ledger = await openAt(directory.path);
  await append(ledger, wholeRun);
  const path = join(directory.path, 'copy.db');
  const [, copied] = await Promise.all([ledger.append([started('01X')]), ledger.backup(path)]);
  assert.equal(copied, undefined);
  await using copy = await openLedger({ path, clock: new StandingClock(), readonly: true });
  assert.deepEqual((await copy.verify()).problems, []);
  assert.ok((await copy.verify()).events >= wholeRun.length);
});

test('every reboot that was done is reported, however many', async () => {
  await using directory = await temporaryDirectory();
  await using ledger = await openAt(directory.path);
  const reboots = Array.from({ length: 450 }, (_, index) => {
    const boot = { bootIdBefore: `b${index}`, bootIdAfter: `b${index + 1}`, reasons: [], downMs: 1 };
    return { type: 'host.rebooted', ...web, ...boot } as const;
  });
  await ledger.append([started(), ...reboots]);
  assert.equal((await ledger.reboots(Number.MAX_SAFE_INTEGER)).done.length, 450);
});
