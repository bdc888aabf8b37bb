import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostRow, HostStatusRow, RunDetail, RunRow } from '../../../src/domain/report.ts';
import { jsonList, jsonObject } from '../../../src/report/text/json.ts';
import {
  ledgerStatsFields,
  ledgerStatsValue,
  reportDocument,
  runDetailValue,
  statusJson,
  updatesJson,
} from '../../../src/report/tables/ledger-json.ts';
import { renderHosts, renderPackages, renderStatus, renderUpdates } from '../../../src/report/tables/ledger.ts';
import { renderRebootReport } from '../../../src/report/tables/reboots.ts';
import { renderHistory } from '../../../src/report/tables/history.ts';
import { renderRun, renderRunList, summaryOfDetail } from '../../../src/report/tables/runs.ts';
import { renderDoctor, renderLedgerCheck } from '../../../src/report/tables/ledger-upkeep.ts';
import { reportExit } from '../../../src/domain/host-state.ts';
import { fakeOutput, nasty, steering } from '../fake-output.ts';

const atMs = Date.UTC(2026, 10, 23, 18, 0);

const status: HostStatusRow = {
  host: 'web01',
  hostId: 'web01',
  firstSeenMs: atMs,
  scannedMs: atMs,
  isIncomplete: false,
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

const dead: HostStatusRow = {
  host: 'dead01',
  hostId: 'dead01',
  firstSeenMs: atMs,
  unreachableSinceMs: atMs,
  lastFailure: 'no route',
};

/** One of each state that is not sure. */
const doubts: readonly HostStatusRow[] = [
  dead,
  { host: 'new01', firstSeenMs: atMs, selectedBy: '01JCUT' },
  { host: 'odd01', hostId: 'odd01', firstSeenMs: atMs, failedSinceMs: atMs, lastFailure: 'no apt' },
  { ...status, host: 'old01', isOld: true, isStale: false },
  { ...status, host: 'part01', isStale: false, isIncomplete: true },
];

const facts: HostRow = {
  host: 'web01',
  hostId: 'web01',
  firstSeenMs: atMs,
  lastSeenMs: atMs,
  osName: 'Debian',
  kernel: '6.1',
  arch: 'x86_64',
  packages: 7,
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
    renderStatus([status], { output: fakeOutput().output, nowMs: atMs }),
    /^web01\tDebian GNU\/Linux 12\tunknown\t2\t1\tyes\t2026-11-23T18:00:00.000Z\tverified\tstale: its package metadata was old$/m,
  );
  const drawn = renderStatus([status], {
    output: fakeOutput({ isTty: true, columns: 100 }).output,
    nowMs: atMs + 3_600_000,
  });
  assert.match(drawn, /unknown +2 +1 +yes +1h ago, stale +verified/);
});

test('a host that was never scanned is shown as such, with nothing that could pass for a number', () => {
  assert.equal(
    renderStatus([dead], { output: fakeOutput().output, nowMs: atMs }),
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
  const row = {
    manager: 'apt',
    name: 'openssl',
    arch: 'amd64',
    to: '2',
    class: 'security',
    firstSeenMs: atMs,
    hosts,
  } as const;
  assert.equal(
    renderUpdates([row], [], { output: fakeOutput().output, nowMs: atMs }),
    'openssl:amd64\t2\tsecurity\t2026-11-23T18:00:00.000Z\t4\tweb[01-03]; db (held)\t\n',
  );
  const { updates } = jsonList(updatesJson, [row], 'name,hosts') as { updates: { hosts: unknown[] }[] };
  assert.deepEqual(updates[0]?.hosts[3], { host: 'db', from: '1', heldBack: 'held' });
});

test('a list of runs shows who, how it ended and how many', () => {
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

test('the schema of a document of ledger stats is the document itself, that of the file has another name', () => {
  const stats = {
    path: '/l.db',
    ledgerSchema: 7,
    sizeBytes: 1,
    events: 2,
    runs: 1,
    hosts: 1,
    blobs: 0,
    blobBytes: 0,
    head: '2:a',
  };
  const document = jsonObject('ledger-stats/2', ledgerStatsValue(stats));
  assert.equal(document['schema'], 'fettle/ledger-stats/2');
  assert.equal(document['ledgerSchema'], 7);
  assert.deepEqual(Object.keys(document).slice(1), ledgerStatsFields);
});

test('JSON is stable: a schema, ISO times, null where there is nothing', () => {
  const document = jsonObject('run-show/1', runDetailValue(detail)) as {
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
    renderRebootReport(
      {
        pending: [{ host: nasty, sinceMs: atMs, reasons: [nasty] }],
        doubts: [{ ...dead, lastFailure: nasty }],
        done: [],
      },
      { output, nowMs: atMs },
    ),
    renderLedgerCheck({ heads: { saved: 0, given: [] }, events: 1, blobs: 0, head: '1:ab', problems: [nasty] }, output),
    renderDoctor([{ check: nasty, state: 'failed', message: nasty, hint: nasty }], output),
  ];
  for (const text of texts) assert.deepEqual(steering(text), []);
  assert.equal(
    renderLedgerCheck({ heads: { saved: 0, given: [] }, events: 1, blobs: 0, head: '1:ab', problems: [] }, output),
    'ok: 1 event, 0 blobs, head 1:ab\n  no saved head: it cannot be checked whether events at the end were removed\n',
  );
});

/** Every report over hosts of which nothing is certain and one that is, as a terminal or a pipe gets it. */
function everyReport(isTty: boolean): Readonly<Record<string, string>> {
  const { output } = fakeOutput({ isTty, columns: 160 });
  const shown = { output, nowMs: atMs };
  const known = { status: { ...status, isStale: false }, facts };
  return {
    status: renderStatus([known.status, ...doubts], shown),
    updates: renderUpdates([], doubts, shown),
    hosts: renderHosts([known, ...doubts.map((row) => ({ status: row }))], shown),
    reboots: renderRebootReport({ pending: [], doubts, done: [] }, shown),
    history: renderHistory([], doubts, shown),
    packages: doubts.map((row) => renderPackages([], row, shown)).join(''),
  };
}

for (const isTty of [true, false]) {
  test(`every report on a ${isTty ? 'terminal' : 'pipe'} names each host it cannot be sure of, with the reason`, () => {
    const words = [
      /never scanned; unreachable since .*: no route/,
      /selected by run 01JCUT, not contacted/,
      /scans have failed since .*: no apt/,
      /stale: the scan is old/,
      /incomplete: updates may be missing/,
    ];
    for (const [name, text] of Object.entries(everyReport(isTty))) {
      for (const word of words) assert.match(text.replaceAll(/\n +/g, ' '), word, name);
      if (name === 'packages') continue;
      for (const { host } of doubts) assert.match(text, new RegExp(host), name);
    }
  });
}

test('in a pipe the rows of what is not known have the columns of the others', () => {
  const shown = { output: fakeOutput().output, nowMs: atMs };
  const update = {
    manager: 'apt',
    name: 'a',
    arch: 'all',
    to: '2',
    class: 'other',
    firstSeenMs: atMs,
    hosts: [{ host: 'h', from: '1' }],
  };
  const done = detail.reboots;
  const history = { host: 'h', atMs, kind: 'update', name: 'a', state: 'installed', isBad: false } as const;
  const texts = [
    renderUpdates([{ ...update, class: 'other' }], doubts, shown),
    renderRebootReport({ pending: [{ host: 'h', sinceMs: atMs, reasons: [] }], doubts, done }, shown),
    renderHistory([history], doubts, shown),
    renderHosts([{ status, facts }, ...doubts.map((row) => ({ status: row }))], shown),
    renderPackages(
      [{ manager: 'apt', name: 'a', arch: 'all', version: '1', state: 'installed', isHeld: false }],
      dead,
      shown,
    ),
  ];
  for (const text of texts) {
    const columns = text
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t').length);
    assert.ok(columns.length > 1);
    assert.equal(new Set(columns).size, 1, text);
  }
});

test('JSON of a report lists the hosts it cannot be sure of whatever fields are chosen', () => {
  const { uncertain } = reportDocument(updatesJson, [], { choice: 'name', doubts }) as {
    uncertain: { host: string; state: string }[];
  };
  assert.deepEqual(
    uncertain.map(({ host, state }) => [host, state]),
    [
      ['dead01', 'unreachable'],
      ['new01', 'never scanned'],
      ['odd01', 'scan failed'],
      ['old01', 'stale'],
      ['part01', 'incomplete'],
    ],
  );
});

test('a report exits by hosts without an answer first, then by what is to be done, then by stale answers', () => {
  const [unreached, unselected, , old] = doubts;
  if (unreached === undefined || unselected === undefined || old === undefined) throw new Error('no rows');
  const known = { ...status, isStale: false };
  assert.equal(reportExit([known], false), 'ok');
  assert.equal(reportExit([known, old], false), 'unverified');
  assert.equal(reportExit([known, old], true), 'changes');
  assert.equal(reportExit([known, unreached], true), 'unreachable');
  assert.equal(reportExit([unreached, unselected], true), 'unverified');
});

test('a list of runs counts hosts that could not be planned and those with nothing to do', () => {
  const absent = [{ host: 'dead01', kind: 'unreachable', reason: 'no route' }] as const;
  const text = renderRunList([{ ...run, idle: ['db01'], absent }], fakeOutput().output);
  assert.equal(text.split('\t')[5], '5');
});
