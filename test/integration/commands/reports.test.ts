import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunEvent } from '../../../src/domain/event.ts';
import { openLedger } from '../../../src/ledger/ledger.ts';
import { Rig, type Ended } from '../rig.ts';
import { run, scan, scanned, StandingClock, started, update } from '../../ledger/fixtures.ts';

const day = 86_400_000;
const local = 'all:\n  hosts:\n    here: { ansible_connection: local }\n';

interface Recorded extends AsyncDisposable {
  readonly write: (name: string, text: string) => Promise<string>;
  readonly report: (words: string, ageMs?: number) => Promise<Ended>;
}

/** A ledger with these events, and its reports as they are that much later. */
async function recorded(events: readonly RunEvent[]): Promise<Recorded> {
  const rig = await Rig.make();
  const clock = new StandingClock();
  {
    await using ledger = await openLedger({ path: rig.path('ledger.db'), clock });
    await ledger.append(events);
  }
  return {
    write: (name, text) => rig.write(name, text),
    report: (words, ageMs = 1000) =>
      rig.run([
        'report',
        ...words.split(' '),
        '--detailed-exitcode',
        '--as-of',
        new Date(clock.nowMs + ageMs).toISOString(),
      ]),
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}

const web = { run, host: 'web01', hostId: 'web01' } as const;
const reports = ['status', 'updates', 'hosts', 'hosts web01', 'reboots', 'history', 'history web01'];

describe('with --detailed-exitcode', () => {
  test('every report over hosts that are well and known exits 0, and 6 once the scans alone are old', async () => {
    await using ledger = await recorded([started(), scanned(web, scan([]))]);
    for (const words of reports) {
      const [fresh, old] = [await ledger.report(words), await ledger.report(words, 8 * day)];
      assert.deepEqual([fresh.code, old.code], [0, 6], `${words}: ${fresh.stderr}${old.stderr}`);
      assert.doesNotMatch(fresh.stdout, /stale/, words);
      assert.match(old.stdout, /stale: the scan is old/, words);
    }
    assert.equal((await ledger.report('status --max-scan-age 9d', 8 * day)).code, 0);
  });

  test('every report over a run that ended before the turn of a host names it and exits 6', async () => {
    await using ledger = await recorded([
      started(run, { kind: 'scan', hosts: ['web01', 'new01'] }),
      scanned(web, scan([])),
    ]);
    for (const words of reports.filter((item) => !item.includes('web01'))) {
      const { code, stdout } = await ledger.report(words);
      assert.equal(code, 6, words);
      assert.match(stdout, new RegExp(`new01.*never scanned: selected by run ${run}, not contacted`), words);
      const json = JSON.parse((await ledger.report(`${words} --json`)).stdout) as Record<string, readonly unknown[]>;
      const listed = json['uncertain'] ?? json['hosts'];
      assert.ok(
        listed?.some((item) => (item as { host: string }).host === 'new01'),
        words,
      );
    }
    const packages = await ledger.report('hosts new01');
    assert.equal(packages.code, 2);
    assert.match(packages.stderr, /no packages of new01 are known: never scanned/);
    assert.equal((await ledger.report('history new01')).code, 6);
  });

  test('pending work is exit 3 for reports of work, and a host that does not answer counts more', async () => {
    const pending = scanned(
      web,
      scan([update('app', '2')], { reboot: { needed: 'yes', reasons: [], runningKernel: '1' } }),
    );
    const outcome = { verdict: 'unreachable', change: 'none', reason: 'no route' } as const;
    const dead = { type: 'host.finished', run, host: 'dead01', hostId: 'dead01', attempt: 1, outcome } as const;
    await using working = await recorded([started(), pending]);
    await using partly = await recorded([started(), pending, dead]);
    for (const [words, code] of [
      ['status', 3],
      ['updates', 3],
      ['reboots', 3],
      ['hosts', 0],
      ['history', 0],
    ] as const) {
      assert.deepEqual([(await working.report(words)).code, (await partly.report(words)).code], [code, 5], words);
    }
  });
});

describe('with an inventory', () => {
  const outcome = { verdict: 'unreachable', change: 'none', reason: 'no route' } as const;
  const gone = { type: 'host.finished', run, host: 'gone01', hostId: 'gone01', attempt: 1, outcome } as const;
  const work = scan([update('app', '2')], { reboot: { needed: 'yes', reasons: [], runningKernel: '1' } });
  const events = [started(), scanned(web, work), gone];
  const names = ['status', 'updates', 'hosts', 'reboots', 'history'];

  test('a host that was taken out of it is counted, and nothing else is reported of it', async () => {
    await using ledger = await recorded(events);
    await ledger.write('i.yaml', 'all: { hosts: { web01: {} } }\n');
    for (const words of names) {
      const [all, its] = [await ledger.report(words), await ledger.report(`${words} -i i.yaml`)];
      assert.deepEqual([all.code, its.code === 5], [5, false], `${words}: ${its.stderr}`);
      assert.match(all.stdout, /gone01/, words);
      assert.doesNotMatch(its.stdout, /gone01/, words);
      assert.match(its.stderr, /left out: 1 host of the ledger, not in the inventory/, words);
    }
    assert.equal((await ledger.report('history gone01 -i i.yaml')).code, 5, 'a host that is named is reported on');
  });

  test('a host that no run ever selected is in every report as never scanned, unless --limit leaves it out', async () => {
    await using ledger = await recorded(events);
    await ledger.write('i.yaml', 'all: { hosts: { web01: {}, new01: {} } }\n');
    for (const words of names) {
      const { code, stdout } = await ledger.report(`${words} -i i.yaml`);
      assert.equal(code, 6, words);
      assert.match(stdout, /new01.*never scanned: no run selected it/, words);
      assert.doesNotMatch((await ledger.report(`${words} -i i.yaml -l web01`)).stdout, /new01/, words);
    }
  });
});

test('a scan that is good but for lists older than --max-age is stale and exits 6', async () => {
  await using rig = await Rig.make();
  await rig.write('i.yaml', local);
  const { code, stdout, stderr } = await rig.run(['scan', '-i', 'i.yaml', '--max-age', '1s']);
  assert.equal(code, 6, stderr);
  assert.match(stdout, /stale/);
  const status = await rig.run(['report', 'status']);
  assert.match(status.stdout, /stale: its package metadata was old/);
});
