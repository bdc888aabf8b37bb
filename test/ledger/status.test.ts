import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEvent } from '../../src/domain/event.ts';
import { stateOf } from '../../src/domain/host-state.ts';
import { openAt, run, scan, scanned, StandingClock, started, temporaryDirectory } from './fixtures.ts';

const day = 24 * 3_600_000;
const web = { run, host: 'web01', hostId: 'web01' };

function unreached(host: string): RunEvent {
  const outcome = { verdict: 'unreachable', change: 'none', reason: 'no route to host' } as const;
  return { type: 'host.finished', run, host, hostId: host, attempt: 1, outcome };
}

test('a host that was never reached, and one that is not any more, are in the status with since when', async () => {
  await using directory = await temporaryDirectory();
  const clock = new StandingClock();
  await using ledger = await openAt(directory.path, clock);
  await ledger.append([started(), scanned(web, scan([])), unreached('dead01')]);
  clock.nowMs += day;
  const sinceMs = clock.nowMs;
  await ledger.append([unreached('web01')]);
  clock.nowMs += 1000;
  const rows = await ledger.hostStatus({ asOfMs: clock.nowMs, maxScanAgeMs: 7 * day });
  assert.deepEqual(
    rows.map((row) => [row.host, row.scannedMs, row.unreachableSinceMs, row.lastFailure]),
    [
      ['dead01', undefined, sinceMs - day, 'no route to host'],
      ['web01', sinceMs - day, sinceMs, 'no route to host'],
    ],
  );
  await ledger.append([scanned(web, scan([]))]);
  const [, again] = await ledger.hostStatus({ asOfMs: clock.nowMs, maxScanAgeMs: 7 * day });
  assert.equal(again?.unreachableSinceMs, undefined);
});

test('a scan is old by its own age at the time that is asked about', async () => {
  await using directory = await temporaryDirectory();
  const clock = new StandingClock();
  await using ledger = await openAt(directory.path, clock);
  await ledger.append([started(), scanned(web, scan([]))]);
  const isOld = async (asOfMs: number): Promise<boolean | undefined> => {
    const [row] = await ledger.hostStatus({ asOfMs, maxScanAgeMs: 7 * day });
    return row?.scannedMs === undefined ? undefined : row.isOld;
  };
  assert.deepEqual([await isOld(clock.nowMs + 7 * day), await isOld(clock.nowMs + 7 * day + 1)], [false, true]);
});

test('a host whose run ended before its turn is in the status by its name, until it is contacted', async () => {
  await using directory = await temporaryDirectory();
  const clock = new StandingClock();
  await using ledger = await openAt(directory.path, clock);
  const selectedMs = clock.nowMs;
  const absent = [{ host: 'dead01', kind: 'unreachable', reason: 'no route' }] as const;
  await ledger.append([
    started(run, { kind: 'scan', hosts: ['web01', 'new01'], idle: ['idle01'], absent }),
    scanned(web, scan([])),
  ]);
  clock.nowMs += day;
  await ledger.append([started('01LATER', { kind: 'scan', hosts: ['new01'] })]);
  const asked = { asOfMs: clock.nowMs, maxScanAgeMs: 7 * day };
  const uncontacted = async (): Promise<readonly unknown[]> =>
    (await ledger.hostStatus(asked)).flatMap(({ host, hostId, selectedBy, firstSeenMs }) =>
      selectedBy === undefined ? [] : [[host, hostId, selectedBy, firstSeenMs]],
    );
  assert.deepEqual(await uncontacted(), [
    ['dead01', undefined, run, selectedMs],
    ['idle01', undefined, run, selectedMs],
    ['new01', undefined, run, selectedMs],
  ]);
  await ledger.append([scanned({ run: '01LATER', host: 'new01', hostId: 'machine-7' }, scan([])), unreached('dead01')]);
  // Later it has another name; the first one is no host of its own.
  await ledger.append([scanned({ run: '01LATER', host: 'new02', hostId: 'machine-7' }, scan([]))]);
  assert.deepEqual(await uncontacted(), [['idle01', undefined, run, selectedMs]]);
  assert.deepEqual((await ledger.verify()).problems, []);
});

test('the latest try decides how a host stands, and one that reached it ends an absence', async () => {
  await using directory = await temporaryDirectory();
  const clock = new StandingClock();
  await using ledger = await openAt(directory.path, clock);
  const standing = async (): Promise<unknown> => {
    const [row] = await ledger.hostStatus({ asOfMs: clock.nowMs, maxScanAgeMs: 7 * day });
    return row === undefined ? undefined : [stateOf(row), row.lastFailure];
  };
  const failed = (id: string, verdict: 'failed' | 'skipped', reason: string): RunEvent => {
    const outcome = { verdict, change: 'none', reason } as const;
    return { type: 'host.finished', run: id, host: 'web01', hostId: 'web01', attempt: 1, outcome };
  };
  await ledger.append([started(run, { kind: 'scan' }), failed(run, 'skipped', 'interrupted')]);
  assert.deepEqual(await standing(), ['never scanned', undefined]);
  const steps: readonly [RunEvent[], unknown[]][] = [
    [
      [started('01A', { kind: 'scan' }), { ...unreached('web01'), run: '01A' }],
      ['unreachable', 'no route to host'],
    ],
    [
      [started('01B', { kind: 'exec' }), { type: 'host.started', ...web, run: '01B', attempt: 1 }],
      ['never scanned', undefined],
    ],
    [
      [started('01C', { kind: 'scan' }), failed('01C', 'failed', 'no apt')],
      ['scan failed', 'no apt'],
    ],
    [
      [started('01D', { kind: 'scan' }), failed('01D', 'skipped', 'interrupted')],
      ['scan failed', 'no apt'],
    ],
    [
      [started('01E', { kind: 'scan' }), scanned({ ...web, run: '01E' }, scan([]))],
      ['scanned', undefined],
    ],
    [
      [started('01F', { kind: 'apply' }), failed('01F', 'failed', 'dpkg failed')],
      ['scanned', undefined],
    ],
  ];
  for (const [events, expected] of steps) {
    clock.nowMs += 1000;
    await ledger.append(events);
    assert.deepEqual(await standing(), expected);
  }
});

test('a scan whose search brought only a part is known to be incomplete', async () => {
  await using directory = await temporaryDirectory();
  const clock = new StandingClock();
  await using ledger = await openAt(directory.path, clock);
  const problems = [{ code: 'search', message: 'WSUS does not answer', isIncomplete: true }] as const;
  await ledger.append([started(), scanned(web, scan([], { problems }))]);
  const rows = await ledger.hostStatus({ asOfMs: clock.nowMs, maxScanAgeMs: 7 * day });
  assert.deepEqual(rows.map(stateOf), ['incomplete']);
});
