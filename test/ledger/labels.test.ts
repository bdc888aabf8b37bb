import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LabelSet } from '../../src/domain/labels.ts';
import {
  append,
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

function labelled(ring: string): readonly LabelSet[] {
  return [
    { hosts: ['web01'], groups: ['all', 'web'], owner: 'ada', ring, labels: { patch_cluster: ['lb'] } },
    { hosts: ['new01'], ids: { new01: 'uuid' }, groups: ['all'], labels: {} },
  ];
}

test('the labels of a host are reported as of each run, also where they have changed since', async () => {
  await using directory = await temporaryDirectory();
  const clock = new StandingClock();
  await using ledger = await openAt(directory.path, clock);
  const firstMs = clock.nowMs;
  const [, ...rest] = wholeRun;
  await append(ledger, [started(run, { hosts: ['web01', 'new01'], labels: labelled('canary') }), ...rest]);
  clock.nowMs += day;
  const later = '01RUN00000000000000000000B';
  const web = { run: later, host: 'web01', hostId: 'web01' };
  await ledger.append([started(later, { kind: 'scan', labels: labelled('broad') }), scanned(web, scan([]))]);

  const ringAt = async (asOfMs: number): Promise<unknown> =>
    (await ledger.hostStatus({ asOfMs, maxScanAgeMs: day })).map(({ host, labels }) => [host, labels?.ring]);
  assert.deepEqual(await ringAt(firstMs), [
    ['new01', undefined],
    ['web01', 'canary'],
  ]);
  assert.deepEqual(await ringAt(clock.nowMs), [
    ['new01', undefined],
    ['web01', 'broad'],
  ]);
  const [unscanned] = await ledger.hostStatus({ asOfMs: clock.nowMs, maxScanAgeMs: day });
  assert.deepEqual(unscanned?.labels, { groups: ['all'], labels: {} }, 'a host that was never contacted has them');
  const detail = await ledger.showRun(run);
  const { hosts, ids: _ids, ...wanted } = labelled('canary')[0] ?? assert.fail();
  assert.deepEqual(detail?.hosts[0]?.labels, wanted, `of ${hosts.join()}`);
  assert.ok(!('labels' in (detail?.run ?? {})));
  assert.equal((await ledger.showRun(later))?.hosts[0]?.labels?.ring, 'broad');
  const history = await ledger.history({ isBadOnly: false, sinceMs: 0, untilMs: clock.nowMs, limit: 10 });
  assert.deepEqual(
    history?.rows.map((row) => [row.name, row.labels?.ring, row.labels?.owner]),
    [
      ['lib', 'canary', 'ada'],
      ['app', 'canary', 'ada'],
    ],
  );
  assert.deepEqual((await ledger.verify()).problems, []);
});

test('a run of a version that recorded no labels has none', async () => {
  await using directory = await temporaryDirectory();
  await using ledger = await openAt(directory.path);
  await append(ledger, wholeRun);
  assert.equal((await ledger.showRun(run))?.hosts[0]?.labels, undefined);
});

test('what an update is comes from the latest scan that showed it, and is reported for every package manager', async () => {
  await using directory = await temporaryDirectory();
  const clock = new StandingClock();
  await using ledger = await openAt(directory.path, clock);
  const web = { run, host: 'web01', hostId: 'web01' };
  const firstMs = clock.nowMs;
  const plain = update('app', '2', { origins: ['Debian'] });
  await ledger.append([started(), scanned(web, scan([plain, { ...plain, manager: 'snap' }]))]);
  clock.nowMs += day;
  const told = {
    source: 'app-src',
    sourceVersion: '2-1',
    severity: 'important' as const,
    vendorSeverity: 'Important',
    advisories: [{ id: 'DSA-1', kind: 'security' as const }],
    cves: ['CVE-2026-1'],
    sizeBytes: 7,
  };
  await ledger.append([
    scanned(
      web,
      scan([
        { ...plain, ...told },
        { ...plain, manager: 'snap' },
      ]),
    ),
  ]);
  const rows = await ledger.pendingUpdates(clock.nowMs);
  assert.deepEqual(
    rows.map(({ hosts: _hosts, ...row }) => row),
    [
      {
        manager: 'apt',
        name: 'app',
        arch: 'all',
        to: '2',
        class: 'security',
        ...told,
        origins: ['Debian'],
        firstSeenMs: firstMs,
      },
      {
        manager: 'snap',
        name: 'app',
        arch: 'all',
        to: '2',
        class: 'security',
        origins: ['Debian'],
        firstSeenMs: firstMs,
      },
    ],
  );
  const of = { ...web, attempt: 1 };
  const result = {
    manager: 'apt',
    name: 'app',
    arch: 'all',
    from: '1',
    to: '2',
    now: '2',
    state: 'installed',
  } as const;
  await ledger.append([
    { type: 'host.started', ...of },
    {
      type: 'update.finished',
      ...of,
      results: [result, { ...result, manager: 'snap' }, { ...result, to: '3', now: '3' }],
    },
  ]);
  assert.deepEqual(
    (await ledger.showRun(run))?.updates.map(({ manager, to }) => `${manager} ${to}`).toSorted(),
    ['apt 2', 'apt 3', 'snap 2'],
    'several managers, and versions beside each other, keep their rows',
  );
  assert.deepEqual((await ledger.verify()).problems, []);
});
