import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import Database from 'better-sqlite3';
import type { RunEvent } from '../../src/domain/event.ts';
import type { HistoryQuestion } from '../../src/domain/report.ts';
import type { HistoryEntry } from '../../src/domain/scan.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openAt, run, scan, scanned, StandingClock, started, temporaryDirectory, update } from './fixtures.ts';

const hourMs = 3_600_000;
const web = { run, host: 'web01', hostId: 'id-web01' } as const;
const win = { run, host: 'win01', hostId: 'id-win01' } as const;
const cumulative = '11111111-2222-4333-8444-555555555555';
const everything: HistoryQuestion = { isBadOnly: false, sinceMs: 0, untilMs: Number.MAX_SAFE_INTEGER, limit: 50 };

function entry(atMs: number, rest: Partial<HistoryEntry> = {}): HistoryEntry {
  const base = {
    id: cumulative,
    revision: 7,
    name: 'KB5000001',
    title: 'Cumulative (KB5000001)',
    client: 'UpdateOrchestrator',
  };
  return { ...base, operation: 'install', result: 'succeeded', atMs, ...rest };
}

function results(
  of: typeof web | typeof win,
  ...list: Extract<RunEvent, { type: 'update.finished' }>['results']
): RunEvent {
  return { type: 'update.finished', ...of, attempt: 1, results: list };
}

async function told(ledger: Ledger, question: Partial<HistoryQuestion>): Promise<(string | undefined)[][]> {
  const answer = await ledger.history({ ...everything, ...question });
  return (answer?.rows ?? []).map(({ host, kind, name, state, message }) => [host, kind, name, state, message]);
}

/** A host of each family: one update went in, one failed, one was there; one run ended badly an hour later. */
async function filled(ledger: Ledger, clock: StandingClock): Promise<void> {
  const base = { manager: 'apt', arch: 'all', from: '1', to: '2' } as const;
  await ledger.append([
    started(),
    { type: 'host.started', ...web, attempt: 1 },
    results(
      web,
      { ...base, name: 'app', now: '2', state: 'installed' },
      { ...base, name: 'lib', now: '1', state: 'failed', message: 'no room' },
      { ...base, name: 'old', now: '2', state: 'already' },
    ),
  ]);
  clock.nowMs += hourMs;
  await ledger.append([
    { type: 'host.started', ...win, attempt: 1 },
    {
      type: 'host.finished',
      ...win,
      attempt: 1,
      outcome: { verdict: 'unreachable', change: 'none', reason: 'connect: refused' },
    },
  ]);
}

describe('what happened on hosts', () => {
  test('comes the latest first, without what was there before', async () => {
    await using directory = await temporaryDirectory();
    const clock = new StandingClock();
    await using ledger = await openAt(directory.path, clock);
    await filled(ledger, clock);
    assert.deepEqual(await told(ledger, {}), [
      ['win01', 'run', undefined, 'unreachable', 'connect: refused'],
      ['web01', 'update', 'lib', 'failed', 'no room'],
      ['web01', 'update', 'app', 'installed', undefined],
    ]);
  });

  test('is narrowed to a host by name or id, to failures, to a time and to names', async () => {
    await using directory = await temporaryDirectory();
    const clock = new StandingClock();
    const firstMs = clock.nowMs;
    await using ledger = await openAt(directory.path, clock);
    await filled(ledger, clock);
    const names = async (question: Partial<HistoryQuestion>): Promise<unknown> =>
      (await told(ledger, question)).map(([host, , name]) => name ?? host);
    assert.deepEqual(await names({ host: 'web01' }), ['lib', 'app']);
    assert.deepEqual(await names({ host: 'id-web01' }), ['lib', 'app']);
    assert.deepEqual(await names({ isBadOnly: true }), ['win01', 'lib']);
    assert.deepEqual(await names({ sinceMs: firstMs + 1 }), ['win01']);
    assert.deepEqual(await names({ untilMs: firstMs }), ['lib', 'app']);
    assert.deepEqual(await names({ update: 'A*' }), ['app']);
    assert.equal(await ledger.history({ ...everything, host: 'nobody' }), undefined);
  });

  test('is marked where there is more than was requested', async () => {
    await using directory = await temporaryDirectory();
    const clock = new StandingClock();
    await using ledger = await openAt(directory.path, clock);
    await filled(ledger, clock);
    const two = await ledger.history({ ...everything, limit: 2 });
    assert.deepEqual([two?.rows.length, two?.isCut], [2, true]);
    assert.equal((await ledger.history({ ...everything, limit: 3 }))?.isCut, false);
  });

  test("keeps each line of a host's own record once, however often it is scanned", async () => {
    await using directory = await temporaryDirectory();
    const clock = new StandingClock();
    await using ledger = await openAt(directory.path, clock);
    const old = entry(clock.nowMs - hourMs);
    const failed = entry(clock.nowMs - 1, { operation: 'install', result: 'failed', message: '0x80070643 fatal' });
    await ledger.append([started(), scanned(win, scan([], { history: [old] }))]);
    await ledger.append([scanned(win, scan([], { history: [failed, old] }))]);
    assert.deepEqual(await told(ledger, {}), [
      ['win01', 'own', 'KB5000001', 'failed', '0x80070643 fatal'],
      ['win01', 'own', 'KB5000001', 'installed', undefined],
    ]);
    assert.deepEqual((await told(ledger, { isBadOnly: true })).length, 1);
    const envelopes = new Database(join(directory.path, 'ledger.db'), { readonly: true })
      .prepare("SELECT envelope FROM event WHERE type = 'host.scanned' ORDER BY seq")
      .pluck()
      .all() as string[];
    assert.equal(envelopes[1]?.match(/"atMs"/g)?.length, 1);
  });

  test('lists what the host installed by itself, although fettle found it installed or only downloaded it', async () => {
    for (const state of ['already', 'downloaded'] as const) {
      await using directory = await temporaryDirectory();
      const clock = new StandingClock();
      await using ledger = await openAt(directory.path, clock);
      const met = {
        manager: 'windows-update',
        name: 'KB5000001',
        arch: cumulative,
        from: '',
        to: '7',
        now: '7',
        state,
      } as const;
      await ledger.append([started(), results(win, met), scanned(win, scan([], { history: [entry(clock.nowMs)] }))]);
      const own = (await told(ledger, {})).filter(([, kind]) => kind === 'own');
      assert.deepEqual(own, [['win01', 'own', 'KB5000001', 'installed', undefined]]);
    }
  });

  test('lists what fettle installed once, although the host recorded it too', async () => {
    await using directory = await temporaryDirectory();
    const clock = new StandingClock();
    await using ledger = await openAt(directory.path, clock);
    const planned = {
      manager: 'windows-update',
      name: 'KB5000001',
      arch: cumulative,
      from: '',
      to: '7',
      now: '7',
      state: 'installed',
    } as const;
    await ledger.append([
      started(),
      results(win, planned),
      scanned(win, scan([], { history: [entry(clock.nowMs), entry(clock.nowMs, { revision: 8 })] })),
    ]);
    assert.deepEqual((await ledger.history(everything))?.rows.map(({ kind, to }) => [kind, to]).sort(), [
      ['own', '8'],
      ['update', '7'],
    ]);
  });
});

test('tables and the records of hosts match the events, also in a ledger of the version before', async () => {
  await using directory = await temporaryDirectory();
  const clock = new StandingClock();
  {
    await using ledger = await openAt(directory.path, clock);
    await filled(ledger, clock);
    const titled = update('KB5000009', '3', { arch: cumulative, from: '', title: 'Cumulative (KB5000009)' });
    const problems = [{ code: 'search', message: 'no answer', isIncomplete: true }] as const;
    const absent = [{ host: 'dead01', kind: 'unreachable', reason: 'no route' }] as const;
    await ledger.append([
      started('01OLD', { hosts: ['win01', 'new01'], idle: ['idle01'], absent }),
      scanned(win, scan([titled, update('app', '2')], { problems })),
    ]);
  }
  const raw = new Database(join(directory.path, 'ledger.db'));
  for (const index of ['update_result_by_time', 'update_result_of_host', 'update_result_bad', 'host_run_bad']) {
    raw.exec(`DROP INDEX ${index}`);
  }
  raw.exec('DROP TABLE host_history; ALTER TABLE update_result DROP COLUMN message; PRAGMA user_version = 2');
  raw.exec('ALTER TABLE missing_update DROP COLUMN title');
  raw.exec('ALTER TABLE lease DROP COLUMN boot_id; ALTER TABLE lease DROP COLUMN boot_expires');
  raw.exec('DROP TABLE selected_host; DROP TABLE host_name');
  raw.exec("UPDATE scan SET status_json = json_remove(status_json, '$.isIncomplete')");
  raw.close();
  await using ledger = await openAt(directory.path, clock);
  assert.deepEqual((await told(ledger, { update: 'lib' }))[0]?.[4], 'no room');
  assert.deepEqual(
    (await ledger.pendingUpdates(clock.nowMs)).map(({ name, title }) => [name, title]),
    [
      ['KB5000009', 'Cumulative (KB5000009)'],
      ['app', undefined],
    ],
  );
  await ledger.append([scanned(win, scan([], { history: [entry(clock.nowMs)] }))]);
  assert.deepEqual((await ledger.verify()).problems, []);
  const before = await ledger.history(everything);
  await ledger.rebuild();
  assert.deepEqual(await ledger.history(everything), before);
});
