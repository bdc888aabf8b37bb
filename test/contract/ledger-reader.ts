// What every ledger answers: run on SQLite and on the double that works each answer out from the events alone.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunEvent } from '../../src/domain/event.ts';
import type { LedgerReader } from '../../src/domain/ledger-reader.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { RunRecord } from '../../src/domain/record.ts';
import type { HistoryEntry } from '../../src/domain/scan.ts';
import {
  append,
  planSha256,
  run,
  scan,
  scanned,
  StandingClock,
  started,
  update,
  wholeRun,
} from '../ledger/fixtures.ts';

export interface OpenedLedger extends AsyncDisposable {
  readonly ledger: RunRecord & LedgerReader;
}

interface Given {
  readonly ledger: RunRecord & LedgerReader;
  readonly clock: StandingClock;
}

const day = 86_400_000;
const maxScanAgeMs = 7 * day;
const web = { run, host: 'web01', hostId: 'web01' } as const;
const everything = { isBadOnly: false, sinceMs: 0, untilMs: Number.MAX_SAFE_INTEGER, limit: 100 } as const;

function finished(of: { run: string; host: string; hostId: string }, outcome: Outcome, attempt = 1): RunEvent {
  return { type: 'host.finished', ...of, attempt, outcome };
}

const unreachable: Outcome = { verdict: 'unreachable', change: 'none', reason: 'no route' };

export function describeLedgerReader(kind: string, open: (clock: StandingClock) => Promise<OpenedLedger>): void {
  const withLedger = (title: string, body: (given: Given) => Promise<void>): void => {
    test(title, async () => {
      const clock = new StandingClock();
      await using opened = await open(clock);
      await body({ ledger: opened.ledger, clock });
    });
  };

  describe(`answers of ${kind}`, () => {
    withLedger('an empty ledger answers with nothing', async ({ ledger, clock }) => {
      const asOfMs = clock.nowMs;
      assert.deepEqual(await ledger.runs(5), []);
      assert.equal(await ledger.showRun(run), undefined);
      assert.deepEqual(await ledger.runLogs(run, 'web01'), []);
      assert.deepEqual(await ledger.hostStatus({ asOfMs, maxScanAgeMs }), []);
      assert.deepEqual([await ledger.hosts(asOfMs), await ledger.pendingUpdates(asOfMs)], [[], []]);
      assert.deepEqual(await ledger.reboots(asOfMs), { pending: [], done: [] });
      assert.deepEqual(await ledger.history(everything), { rows: [], isCut: false });
      assert.equal(await ledger.history({ ...everything, host: 'web01' }), undefined);
      assert.equal(await ledger.packagesAt('web01', asOfMs), undefined);
      assert.equal(await ledger.inventoryOf('web01'), undefined);
      assert.equal(await ledger.getBlob(planSha256), undefined);
      assert.deepEqual(await ledger.planHashes('p'), []);
      await assert.rejects(ledger.findRun(), { code: 'usage', message: /the ledger has no runs yet/ });
    });

    withLedger(
      'a run is found by the beginning of its id, or the latest that worked on hosts',
      async ({ ledger, clock }) => {
        for (const [id, more] of [
          ['01A', { kind: 'apply', planSha256 }],
          ['01B', { kind: 'shutdown', planSha256 }],
          ['01C', { kind: 'apply', hosts: [] }],
          ['01D', { kind: 'shutdown' }],
          ['01E', { kind: 'scan' }],
        ] as const) {
          clock.nowMs += 1;
          await append(ledger, [started(id, more)]);
        }
        assert.deepEqual([(await ledger.findRun()).run, (await ledger.findRun(undefined, true)).run], ['01B', '01A']);
        assert.equal((await ledger.findRun('01e')).run, '01E');
        await assert.rejects(ledger.findRun('01'), { code: 'usage', message: /more than one run 01/ });
        await assert.rejects(ledger.findRun('02'), { code: 'usage', message: /no run 02/ });
        assert.deepEqual(
          (await ledger.runs(2)).map((row) => row.run),
          ['01E', '01D'],
        );
      },
    );

    withLedger('a run is shown with everything that was recorded of it', async ({ ledger, clock }) => {
      const labels = [{ hosts: ['web01'], groups: ['all'], owner: 'ada', labels: { patch_cluster: ['lb'] } }];
      const [, ...rest] = wholeRun;
      await append(ledger, [started(run, { planSha256, ticket: 'CHG-1', labels }), ...rest]);
      const detail = await ledger.showRun(run);
      const atMs = clock.nowMs;
      assert.deepEqual(detail?.run, {
        run,
        kind: 'apply',
        startedMs: atMs,
        endedMs: atMs,
        exitCode: 0,
        exitName: 'ok',
        operator: { user: 'op', controller: 'jump', pid: 7 },
        hosts: ['web01'],
        reasons: [],
        counts: { verified: 1 },
        planSha256,
        ticket: 'CHG-1',
      });
      assert.deepEqual(detail.waves, [{ name: 'first', hosts: ['web01'], startedMs: atMs, endedMs: atMs }]);
      assert.deepEqual(detail.hosts, [
        {
          ...{ host: 'web01', hostId: 'web01', attempt: 1, wave: 0, startedMs: atMs, endedMs: atMs },
          ...{ verdict: 'verified', change: 'installed', reason: 'well', step: 'install' },
          labels: { groups: ['all'], owner: 'ada', labels: { patch_cluster: ['lb'] } },
        },
      ]);
      const common = { host: 'web01', manager: 'apt', arch: 'all', from: '1', to: '2' };
      assert.deepEqual(detail.updates, [
        { ...common, name: 'app', now: '2', state: 'installed' },
        { ...common, name: 'lib', now: '1', state: 'failed' },
      ]);
      assert.deepEqual(detail.findings, [{ host: 'web01', check: 'listener', level: 'warn', message: 'slow' }]);
      assert.deepEqual(
        detail.notes.map(({ level, message, host }) => [level, message, host]),
        [
          ['warn', 'asked to stop', undefined],
          ['warn', 'let go', undefined],
          ['warn', 'abandoned: gone', 'web01'],
          ['info', 'a word', 'web01'],
        ],
      );
      assert.equal(detail.reboots[0]?.bootIdAfter, 'b2');
      assert.deepEqual(await ledger.planHashes('p'), [planSha256]);
      assert.equal(Buffer.from((await ledger.getBlob(planSha256)) ?? []).toString(), 'the bytes of a plan');
    });

    withLedger('a scan that did not search for updates leaves standing what the one before found', async (given) => {
      const { ledger, clock } = given;
      await append(ledger, [started(run), scanned(web, scan([update('app', '2')]))]);
      const asOfMs = clock.nowMs;
      const before = await ledger.pendingUpdates(asOfMs);
      clock.nowMs += day;
      const state = scan([], { isStateOnly: true, metadata: { repositories: [], isStale: false } });
      await append(ledger, [{ ...scanned(web, state), purpose: 'before' } as RunEvent]);
      assert.equal(before.length, 1);
      assert.deepEqual(await ledger.pendingUpdates(clock.nowMs), before);
      const [row] = await ledger.hostStatus({ asOfMs: clock.nowMs, maxScanAgeMs });
      assert.equal(row?.scannedMs, asOfMs);
      assert.equal((await ledger.recordedFacts(run, 'web01')).before?.isStateOnly, true);
    });

    withLedger(
      'a host that only answered a scan is shown with its run, and a resumed run is open',
      async ({ ledger }) => {
        await append(ledger, [
          ...wholeRun,
          { type: 'run.resumed', run, operator: { user: 'o', controller: 'c', pid: 1 }, argv: [] },
        ]);
        await ledger.append([started('01S', { kind: 'scan' }), scanned({ ...web, run: '01S' }, scan([]))]);
        const [row] = (await ledger.showRun('01S'))?.hosts ?? [];
        assert.deepEqual([row?.host, row?.attempt, row?.verdict], ['web01', 1, undefined]);
        const [, resumed] = await ledger.runs(2);
        assert.deepEqual([resumed?.exitName, resumed?.counts], [undefined, { verified: 1 }]);
      },
    );

    withLedger('logs come step by step with what was printed, by name or id', async ({ ledger }) => {
      const outputSha256 = await ledger.putBlob(Buffer.from('setting up app\n'));
      const step = { ...web, hostId: 'id-1', attempt: 1, step: 'install', job: 'j' } as const;
      await append(ledger, [
        started(),
        { type: 'host.started', ...web, hostId: 'id-1', attempt: 1 },
        { type: 'step.started', ...step },
        { type: 'step.finished', ...step, ok: false, message: 'no room', outputSha256 },
        { type: 'step.started', ...step, step: 'verify' },
      ]);
      const [install, verify] = await ledger.runLogs(run, 'web01');
      assert.deepEqual([install?.ok, install?.message], [false, 'no room']);
      assert.equal(Buffer.from(install?.output ?? []).toString(), 'setting up app\n');
      assert.deepEqual([verify?.step, verify?.endedMs, verify?.ok], ['verify', undefined, undefined]);
      assert.equal((await ledger.runLogs(run, 'id-1')).length, 2);
      assert.deepEqual(await ledger.runLogs(run, 'nobody'), []);
    });

    withLedger(
      'what was missing, installed and required a reboot is reported as of any time',
      async ({ ledger, clock }) => {
        const first = clock.nowMs;
        const held = update('held', '3', { heldBack: { kind: 'phased', percent: 10 } });
        const described = {
          source: 'src',
          vendorSeverity: 'Important',
          severity: 'important',
          cves: ['CVE-2026-1'],
        } as const;
        await append(ledger, [
          started(),
          scanned(web, scan([update('app', '2', { sizeBytes: 7, origins: ['Debian'] }), held])),
        ]);
        clock.nowMs += day;
        const reboot = { needed: 'yes', reasons: ['kernel'], runningKernel: '1' } as const;
        await ledger.append([scanned(web, scan([update('app', '2', described)], { reboot }))]);
        clock.nowMs += day;
        await ledger.append([scanned(web, scan([], { reboot, packages: [] }))]);
        const at = async (asOfMs: number): Promise<unknown> =>
          (await ledger.pendingUpdates(asOfMs)).map(({ firstSeenMs, ...row }) => ({
            ...row,
            days: (firstSeenMs - first) / day,
          }));
        const app = {
          manager: 'apt',
          name: 'app',
          arch: 'all',
          to: '2',
          class: 'security',
          hosts: [{ host: 'web01', from: '1' }],
        };
        const heldRow = {
          ...app,
          name: 'held',
          to: '3',
          hosts: [{ host: 'web01', from: '1', heldBack: 'phased 10 %' }],
        };
        assert.deepEqual(await at(first - 1), []);
        assert.deepEqual(await at(clock.nowMs - day), [{ ...app, ...described, days: 0 }]);
        assert.deepEqual(await at(clock.nowMs), []);
        const names = (await ledger.pendingUpdates(first)).map((row) => row.name);
        assert.deepEqual([names, heldRow.hosts[0]?.heldBack], [['app', 'held'], 'phased 10 %']);
        assert.deepEqual((await ledger.reboots(first)).pending, []);
        assert.deepEqual((await ledger.reboots(clock.nowMs)).pending, [
          { host: 'web01', sinceMs: first + day, reasons: ['kernel'] },
        ]);
        assert.deepEqual((await ledger.packagesAt('web01', first))?.packages, [
          { manager: 'apt', name: 'app', arch: 'all', version: '1', state: 'installed', isHeld: false },
        ]);
        assert.deepEqual(await ledger.packagesAt('web01', clock.nowMs), { scannedMs: clock.nowMs, packages: [] });
        assert.equal(await ledger.packagesAt('web01', first - 1), undefined);
        const [host] = await ledger.hosts(clock.nowMs);
        assert.deepEqual([host?.firstSeenMs, host?.lastSeenMs, host?.kernel], [first, clock.nowMs, '6.1.0-31-amd64']);
      },
    );

    withLedger('updates of several managers and hosts are rows of their own, folded by version', async ({ ledger }) => {
      const db = { ...web, host: 'db01', hostId: 'db01' };
      await append(ledger, [
        started(),
        scanned(web, scan([update('app', '2'), update('app', '2', { manager: 'snap' })])),
        scanned(db, scan([update('app', '2', { from: '0' }), update('app', '3')])),
      ]);
      const rows = await ledger.pendingUpdates(Number.MAX_SAFE_INTEGER);
      assert.deepEqual(
        rows
          .map(
            ({ manager, to, hosts }) => `${manager} ${to} ${hosts.map(({ host, from }) => `${host} ${from}`).join()}`,
          )
          .toSorted(),
        ['apt 2 db01 0,web01 1', 'apt 3 db01 1', 'snap 2 web01 1'],
      );
    });

    withLedger('a host is known from its selection, its scans and its failures', async ({ ledger, clock }) => {
      const dead = { run, host: 'dead01', hostId: 'dead01' };
      const absent = [{ host: 'gone01', kind: 'unreachable', reason: 'x' }] as const;
      await append(ledger, [
        started(run, { kind: 'scan', hosts: ['web01', 'dead01', 'new01'], absent }),
        scanned(web, scan([update('app', '2'), update('b', '1', { class: 'other' })])),
        finished(dead, unreachable),
      ]);
      const firstMs = clock.nowMs;
      clock.nowMs += 8 * day;
      const later = { ...web, run: '01L' };
      await ledger.append([
        started('01L', { kind: 'scan' }),
        finished(later, { verdict: 'failed', change: 'none', reason: 'no answer' }),
        finished({ ...dead, run: '01L' }, { ...unreachable, reason: 'still no route' }),
      ]);
      const rows = await ledger.hostStatus({ asOfMs: clock.nowMs, maxScanAgeMs });
      assert.deepEqual(
        rows.map((row) => [row.host, row.unreachableSinceMs, row.failedSinceMs, row.lastFailure, row.selectedBy]),
        [
          ['dead01', firstMs, undefined, 'still no route', undefined],
          ['gone01', undefined, undefined, undefined, run],
          ['new01', undefined, undefined, undefined, run],
          ['web01', undefined, clock.nowMs, 'no answer', undefined],
        ],
      );
      const known = rows.at(-1);
      assert.ok(known?.scannedMs !== undefined);
      assert.deepEqual([known.isOld, known.security, known.other, known.rebootNeeded], [true, 1, 1, 'no']);
      const [before] = (await ledger.hostStatus({ asOfMs: firstMs, maxScanAgeMs })).toReversed();
      assert.ok(before?.scannedMs !== undefined);
      assert.deepEqual([before.isOld, before.failedSinceMs], [false, undefined]);
    });

    withLedger('a scan ends a failure, and the last verdict is of work, not of scans', async ({ ledger, clock }) => {
      await append(ledger, [
        ...wholeRun,
        started('01S', { kind: 'scan' }),
        finished({ ...web, run: '01S' }, unreachable),
      ]);
      const [failed] = await ledger.hostStatus({ asOfMs: clock.nowMs, maxScanAgeMs });
      assert.deepEqual([failed?.lastVerdict, failed?.lastRun], ['verified', run]);
      clock.nowMs += 1;
      await ledger.append([scanned({ ...web, run: '01S' }, scan([]))]);
      const [row] = await ledger.hostStatus({ asOfMs: clock.nowMs, maxScanAgeMs });
      assert.deepEqual([row?.unreachableSinceMs, row?.lastFailure], [undefined, undefined]);
    });

    withLedger('history has updates, bad ends and the host’s own record, each once', async ({ ledger, clock }) => {
      const own = (revision: number, result: HistoryEntry['result']): HistoryEntry => ({
        ...{ id: 'guid', revision, name: 'KB1', title: 'Cumulative', operation: 'install', client: 'wuauclt' },
        ...{ result, atMs: clock.nowMs },
      });
      const of = { ...web, attempt: 1 };
      const result = {
        manager: 'windows-update',
        name: 'KB1',
        arch: 'guid',
        from: '',
        to: '1',
        now: '1',
        state: 'installed',
      } as const;
      await append(ledger, [
        started(),
        { type: 'host.started', ...of },
        {
          type: 'update.finished',
          ...of,
          results: [result, { ...result, name: 'lib', arch: 'all', state: 'already' }],
        },
      ]);
      clock.nowMs += 1;
      const history = [own(1, 'succeeded'), own(2, 'failed')];
      await ledger.append([scanned(web, scan([], { history })), scanned(web, scan([], { history }))]);
      clock.nowMs += 1;
      await ledger.append([finished(web, { ...unreachable, verdict: 'lost', reason: 'it went away' })]);
      const rows = async (more: object): Promise<unknown> =>
        (await ledger.history({ ...everything, ...more }))?.rows.map(
          ({ kind: its, name, state }) => `${its} ${name ?? '-'} ${state}`,
        );
      const all = ['run - lost', 'own KB1 failed', 'update KB1 installed'];
      assert.deepEqual(await rows({}), all);
      assert.deepEqual(await rows({ isBadOnly: true }), all.slice(0, 2));
      assert.deepEqual(await rows({ update: 'kb*' }), all.slice(1));
      assert.deepEqual(await rows({ host: 'web01', untilMs: clock.nowMs - 1 }), all.slice(1));
      assert.deepEqual(await rows({ names: ['db01'] }), []);
      assert.deepEqual((await ledger.history({ ...everything, limit: 1 }))?.isCut, true);
      assert.equal(await ledger.history({ ...everything, host: 'db01' }), undefined);
    });

    withLedger('processes that hold hosts of a run are named until their leases end', async ({ ledger, clock }) => {
      const holder = { user: 'op', controller: 'jump', pid: 7 };
      const nowMs = clock.nowMs;
      await append(ledger, [started()]);
      await ledger.acquireLeases({ run, holder, hostIds: ['a', 'b'], nowMs, expiresMs: nowMs + 100 });
      assert.deepEqual(await ledger.leaseHolders(run, 'jump'), [{ holder, expiresMs: nowMs + 100 }]);
      assert.deepEqual(await ledger.leaseHolders('01OTHER', 'jump'), []);
      clock.nowMs += 101;
      assert.deepEqual(await ledger.leaseHolders(run, 'jump'), []);
    });

    withLedger('hardware is that of the latest scan', async ({ ledger, clock }) => {
      const inventory = { processors: [], adapters: [], products: {}, updatePolicy: {}, serial: 'S1' };
      await append(ledger, [started(), scanned(web, scan([], { inventory }))]);
      assert.equal((await ledger.inventoryOf('web01'))?.serial, 'S1');
      clock.nowMs += 1;
      await ledger.append([scanned(web, scan([]))]);
      assert.equal(await ledger.inventoryOf('web01'), undefined);
    });
  });
}
