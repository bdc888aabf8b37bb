import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEvent } from '../../src/domain/event.ts';
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
