// A ledger that an earlier version wrote, brought up to the tables of this one.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import type { UpgradeProgress } from '../../src/ledger/events/rebuild.ts';
import { openLedger, type Ledger } from '../../src/ledger/ledger.ts';
import { schemaVersion } from '../../src/ledger/store/migrations.ts';
import { projections } from '../../src/ledger/store/projections.ts';
import { openAt, StandingClock, started, temporaryDirectory } from './fixtures.ts';

const fixture = join(import.meta.dirname, '../fixtures/ledger/schema-6');
const events = 115;

async function unpack(directory: string): Promise<string> {
  const path = join(directory, 'ledger.db');
  await writeFile(path, gunzipSync(await readFile(join(fixture, 'ledger.db.gz'))), { mode: 0o600 });
  await copyFile(join(fixture, 'ledger.db.head'), `${path}.head`);
  return path;
}

/** Every row of every table that is made from events. */
function tablesOf(path: string): Readonly<Record<string, readonly string[]>> {
  const file = new Database(path, { readonly: true });
  try {
    return Object.fromEntries(
      projections.map((table) => {
        const rows = file.prepare(`SELECT * FROM ${table}`).all();
        return [table, rows.map((row) => JSON.stringify(row)).toSorted()];
      }),
    );
  } finally {
    file.close();
  }
}

test('tables of an old ledger become what a rebuild makes of its events, and the chain stays as it was', async () => {
  await using directory = await temporaryDirectory();
  const path = await unpack(directory.path);
  const old = new Database(path, { readonly: true });
  const envelopes = old.prepare('SELECT envelope, hash FROM event ORDER BY seq').all();
  const leases = old.prepare('SELECT * FROM lease ORDER BY host_id').all();
  assert.equal(old.pragma('user_version', { simple: true }), 6);
  old.close();
  {
    await using ledger = await openAt(directory.path);
    assert.deepEqual((await ledger.verify()).problems, []);
  }
  const migrated = tablesOf(path);
  {
    await using ledger = await openAt(directory.path);
    await ledger.rebuild();
  }
  assert.deepEqual(tablesOf(path), migrated);
  for (const table of [
    'scan',
    'step',
    'reboot',
    'note',
    'finding',
    'missing_update',
    'update_result',
    'host_history',
  ]) {
    assert.notEqual(migrated[table]?.length, 0, `the old ledger has rows for ${table}`);
  }
  const file = new Database(path, { readonly: true });
  assert.equal(file.pragma('user_version', { simple: true }), schemaVersion);
  assert.deepEqual(file.prepare('SELECT envelope, hash FROM event ORDER BY seq').all(), envelopes);
  assert.deepEqual(file.prepare('SELECT * FROM lease ORDER BY host_id').all(), leases);
  file.close();
});

test('the upgrade of an old ledger is reported from its first event to its last, and a current one needs none', async () => {
  await using directory = await temporaryDirectory();
  const path = await unpack(directory.path);
  const seen: UpgradeProgress[] = [];
  const open = (): Promise<Ledger> => {
    return openLedger({ path, clock: new StandingClock(), onUpgrade: (progress) => seen.push(progress) });
  };
  await (await open())[Symbol.asyncDispose]();
  const of = { from: 6, to: schemaVersion, events };
  assert.deepEqual(seen, [
    { ...of, done: 0 },
    { ...of, done: events },
  ]);
  await (await open())[Symbol.asyncDispose]();
  assert.equal(seen.length, 2);
});

async function answersOf(ledger: Ledger): Promise<Record<string, unknown>> {
  const asOfMs = Date.parse('2027-02-01T00:00:00Z');
  const everything = { isBadOnly: false, sinceMs: 0, untilMs: asOfMs, limit: 100 };
  return {
    updates: (await ledger.pendingUpdates(asOfMs)).map(
      (row) => `${row.manager} ${row.name} ${row.to} ${row.hosts.map(({ host }) => host).join(' ')}`,
    ),
    windows: (await ledger.pendingUpdates(asOfMs)).find((row) => row.manager !== 'apt'),
    history: (await ledger.history(everything))?.rows.map((row) => `${row.host} ${row.name ?? '-'} ${row.state}`),
    managers: new Set((await ledger.history(everything))?.rows.map((row) => row.manager)),
    open: (await ledger.runState('01JAPPLY000000000000000003'))?.hosts.map((host) => host.openSteps),
    runs: (await ledger.runs(10)).map((row) => `${row.run} ${row.exitName ?? 'open'}`),
    reboots: (await ledger.reboots(asOfMs)).done.map((row) => `${row.host} ${row.bootIdAfter}`),
    packages: (await ledger.packagesAt('db1', asOfMs))?.packages.map((row) => `${row.manager} ${row.name}`),
    stop: await ledger.stopRequested('01JAPPLY000000000000000003'),
  };
}

test('an old ledger answers every question: managers are known from its scans, what it never recorded is absent', async () => {
  await using directory = await temporaryDirectory();
  await unpack(directory.path);
  await using ledger = await openAt(directory.path);
  assert.deepEqual(await answersOf(ledger), {
    updates: ['windows-update KB5034441 1 win1', 'apt app 2 web1', 'apt held 3 web2'],
    windows: {
      manager: 'windows-update',
      name: 'KB5034441',
      arch: '6a1d',
      to: '1',
      title: 'Security update for Windows',
      class: 'security',
      vendorSeverity: 'Critical',
      cves: ['CVE-2026-0001', 'CVE-2026-0002'],
      firstSeenMs: 1_800_000_000_000,
      hosts: [{ host: 'win1', from: '' }],
    },
    history: [
      'web2 lib not-installed',
      'web2 tool installed',
      'web2 - unhealthy',
      'web2 - failed',
      'db1 tool installed',
      'web2 tool broken',
      'web1 tool installed',
      'web3 - unreachable',
      'win1 KB5030000 failed',
    ],
    managers: new Set(['apt', undefined]),
    open: [[{ step: 'install', attempt: 1, job: 'j-9', jobKind: 'install' }]],
    runs: [
      '01JAPPLY000000000000000003 open',
      'run1 unverified',
      '01JSCAN0000000000000000001 unreachable',
      '01JPLAN0000000000000000002 ok',
    ],
    reboots: ['web1 web1-boot-2'],
    packages: ['apt tool'],
    stop: true,
  });
});

test('a head that was signed before is still held by the chain, and new events follow it', async () => {
  await using directory = await temporaryDirectory();
  const path = await unpack(directory.path);
  await using ledger = await openAt(directory.path);
  await ledger.append([started('01NEW')]);
  const signed = await readFile(join(fixture, 'head.txt'), 'utf8');
  execFileSync(
    'ssh-keygen',
    ['-Y', 'verify', '-f', join(fixture, 'allowed-signers'), '-I', 'auditor@example.com', '-n', 'fettle-ledger'].concat(
      ['-s', join(fixture, 'head.txt.sig')],
    ),
    { input: signed },
  );
  const [seq = '', hash = ''] = (signed.split(' ')[0] ?? '').split(':');
  const { problems, events: count } = await ledger.verify([{ seq: Number(seq), hash }]);
  assert.deepEqual([problems, count, path], [[], events + 1, ledger.path]);
});

test('a reader leaves an old ledger as it is, and answers as a writer does', async () => {
  await using directory = await temporaryDirectory();
  const path = await unpack(directory.path);
  const before = await readFile(path);
  await chmod(path, 0o400);
  let read: Record<string, unknown>;
  {
    await using ledger = await openLedger({ path, clock: new StandingClock(), readonly: true });
    read = await answersOf(ledger);
  }
  assert.deepEqual(await readFile(path), before);
  await chmod(path, 0o600);
  await using ledger = await openAt(directory.path);
  assert.deepEqual(await answersOf(ledger), read);
});

test('an old ledger with an event that cannot be read is opened, and verify names that event', async () => {
  await using directory = await temporaryDirectory();
  const path = await unpack(directory.path);
  const file = new Database(path);
  file.exec(`UPDATE event SET envelope = substr(envelope, 20) WHERE seq = 9;
    UPDATE event SET envelope = replace(envelope, '"packageCount"', '"count"') WHERE type = 'host.scanned' AND seq = 2;
    UPDATE event SET envelope = replace(envelope, '"verdict"', '"word"') WHERE type = 'host.finished'`);
  file.close();
  await using ledger = await openAt(directory.path);
  const { problems } = await ledger.verify();
  assert.match(problems.join('\n'), /event 9 was altered/);
  assert.equal((await ledger.runs(10)).length, 4);
});

test('a version that came before refuses the tables of this one, and leaves them alone', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'ledger.db');
  await (await openAt(directory.path))[Symbol.asyncDispose]();
  const file = new Database(path);
  file.pragma(`user_version = ${schemaVersion + 1}`);
  file.close();
  const before = await readFile(path);
  const message = new RegExp(`newer fettle \\(schema ${schemaVersion + 1}, this one supports ${schemaVersion}\\)`);
  await assert.rejects(openAt(directory.path), { code: 'ledger', message });
  await assert.rejects(openLedger({ path, clock: new StandingClock(), readonly: true }), { code: 'ledger', message });
  assert.deepEqual(await readFile(path), before);
});
