import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostStatusRow, RunDetail, RunRow } from '../../src/domain/report.ts';
import { jsonList, jsonObject } from '../../src/report/json.ts';
import { runDetailValue, statusJson, updatesJson } from '../../src/report/ledger-json.ts';
import { renderPendingReboots, renderStatus, renderUpdates } from '../../src/report/ledger-tables.ts';
import { renderRun, renderRunList, summaryOfDetail } from '../../src/report/run-tables.ts';
import { renderDoctor, renderLedgerCheck } from '../../src/report/upkeep-tables.ts';
import { fakeOutput, nasty, steering } from './fake-output.ts';

const atMs = Date.UTC(2026, 10, 23, 18, 0);

const status: HostStatusRow = {
  host: 'web01',
  hostId: 'web01',
  scannedMs: atMs,
  isOld: false,
  osName: 'Debian GNU/Linux 12',
  kernel: '6.1',
  security: 0,
  other: 2,
  heldBack: 1,
  securityKnown: false,
  isStale: true,
  rebootNeeded: 'yes',
  rebootReasons: ['kernel'],
  broken: 0,
  problems: [],
  lastVerdict: 'verified',
  lastRun: '01J',
};

const run: RunRow = {
  run: '01JRUN',
  kind: 'apply',
  startedMs: atMs,
  endedMs: atMs + 192_000,
  exitCode: 4,
  exitName: 'partial',
  reasons: ['web02: failed'],
  operator: { user: 'root', loginUser: 'ada', controller: 'jump', pid: 1 },
  playbook: 'monthly',
  planSha256: 'ab'.repeat(32),
  hosts: ['web01', 'web02', 'web03'],
  counts: { verified: 1, failed: 1, pending: 1 },
};

const detail: RunDetail = {
  run,
  waves: [{ name: 'first', hosts: ['web01'], startedMs: atMs, endedMs: atMs + 60_000 }],
  hosts: [
    {
      host: 'web01',
      hostId: 'web01',
      attempt: 1,
      startedMs: atMs,
      verdict: 'verified',
      change: 'installed',
      reason: 'well',
    },
    { host: 'web02', hostId: 'web02', attempt: 1, startedMs: atMs, verdict: 'verified' },
    {
      host: 'web02',
      hostId: 'web02',
      attempt: 2,
      startedMs: atMs,
      verdict: 'failed',
      change: 'partial',
      reason: nasty,
    },
  ],
  updates: ['web01', 'web02'].map((host) => {
    return { host, name: 'openssl', arch: 'amd64', from: '1', to: '2', now: '2', state: 'installed' };
  }),
  findings: [{ host: 'web02', check: 'plan', level: 'fail', message: nasty }],
  reboots: [
    { host: 'web01', run: '01JRUN', atMs, bootIdBefore: 'a', bootIdAfter: 'b', reasons: ['kernel'], downMs: 41_000 },
  ],
  notes: [{ atMs, level: 'warn', message: nasty }],
};

test('the status never shows an unknown number of security updates as none', () => {
  assert.match(
    renderStatus([status], { output: fakeOutput().output }),
    /^web01\tDebian GNU\/Linux 12\tunknown\t2\t1\tyes\t2026-11-23T18:00:00.000Z\tverified\tstale: its package metadata was old$/m,
  );
  const drawn = renderStatus([status], { output: fakeOutput({ isTty: true, columns: 100 }).output });
  assert.match(drawn, /unknown +2 +1 +yes +1h ago, stale +verified/);
});

test('a host that was never scanned is shown as such, with nothing that could pass for a number', () => {
  const row: HostStatusRow = { host: 'dead01', hostId: 'dead01', unreachableSinceMs: atMs, lastFailure: 'no route' };
  assert.equal(
    renderStatus([row], { output: fakeOutput().output }),
    'dead01\t-\t-\t-\t-\t-\tnever\t\tnever scanned; unreachable since 2026-11-23T18:00:00.000Z: no route\n',
  );
});

test('as of an earlier time the ages count from then', () => {
  const { output } = fakeOutput({ isTty: true, columns: 100 });
  assert.match(renderStatus([status], { output, nowMs: atMs + 5 * 60_000 }), /5m ago/);
});

test('an update names its hosts folded, those that hold it back apart', () => {
  const hosts = [
    ...['web01', 'web02', 'web03'].map((host) => ({ host, from: '1' })),
    { host: 'db', from: '1', heldBack: 'held' },
  ];
  const row = { name: 'openssl', arch: 'amd64', to: '2', class: 'security', firstSeenMs: atMs, hosts } as const;
  assert.equal(
    renderUpdates([row], { output: fakeOutput().output }),
    'openssl:amd64\t2\tsecurity\t2026-11-23T18:00:00.000Z\t4\tweb[01-03]; db (held)\t\n',
  );
  const { updates } = jsonList(updatesJson, [row], 'name,hosts') as { updates: { hosts: unknown[] }[] };
  assert.deepEqual(updates[0]?.hosts[3], { host: 'db', from: '1', heldBack: 'held' });
});

test('a list of runs tells who, how it ended and how many', () => {
  const { run: id, kind, startedMs, reasons, operator, hosts } = run;
  const open: RunRow = { run: id, kind, startedMs, reasons, operator, hosts, counts: {} };
  assert.equal(
    renderRunList([run, open], fakeOutput().output),
    '01JRUN\tapply\t2026-11-23T18:00:00.000Z\t192000\tada as root@jump\t3\t4 partial\t1 failed, 1 pending, 1 verified\n' +
      '01JRUN\tapply\t2026-11-23T18:00:00.000Z\t\tada as root@jump\t3\topen\t\n',
  );
});

test('a recorded run is summed up by the latest attempt of each host, those never started included', () => {
  const { hosts } = summaryOfDetail(detail);
  assert.deepEqual(
    hosts.map(({ host, standing }) => [host, standing]),
    [
      ['web01', 'verified'],
      ['web02', 'failed'],
      ['web03', 'not started'],
    ],
  );
  const text = renderRun(detail, fakeOutput({ isTty: true, columns: 100 }).output);
  for (const part of ['failed', 'fettle run resume 01JRUN', 'openssl:amd64', 'web[01-02] (2)', 'down for 41s']) {
    assert.ok(text.includes(part), part);
  }
  assert.deepEqual(steering(text), []);
});

test('JSON is stable: a schema, ISO times, null where there is nothing', () => {
  const document = jsonObject('run-show', runDetailValue(detail)) as {
    schema: string;
    run: Record<string, unknown>;
    hosts: Record<string, unknown>[];
  };
  assert.equal(document.schema, 'fettle/run-show/1');
  assert.equal(document.run['startedAt'], '2026-11-23T18:00:00.000Z');
  assert.equal(document.run['ticket'], null);
  assert.deepEqual(Object.keys(document.hosts[0] ?? {}), Object.keys(document.hosts[1] ?? {}));
  const { hosts } = jsonList(statusJson, [status]) as { hosts: Record<string, unknown>[] };
  assert.equal(hosts[0]?.['security'], null);
  assert.equal(hosts[0]?.['metadataFetchedAt'], null);
});

test('reboots that wait, ledger checks and doctor show nothing that steers', () => {
  const { output } = fakeOutput({ isTty: true });
  const texts = [
    renderPendingReboots([{ host: nasty, sinceMs: atMs, reasons: [nasty] }], { output }),
    renderLedgerCheck({ heads: { saved: 0, given: [] }, events: 1, blobs: 0, head: '1:ab', problems: [nasty] }, output),
    renderDoctor([{ check: nasty, state: 'failed', message: nasty, hint: nasty }], output),
  ];
  for (const text of texts) assert.deepEqual(steering(text), []);
  assert.equal(
    renderLedgerCheck({ heads: { saved: 0, given: [] }, events: 1, blobs: 0, head: '1:ab', problems: [] }, output),
    'ok: 1 event, 0 blobs, head 1:ab\n  no saved head: nothing says whether events were cut off at the end\n',
  );
});
