import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isMissing,
  recordAnswer,
  unknownRows,
  type WatchAnswer,
  type WatchRows,
} from '../../../src/report/live/watch-state.ts';
import { openWatchView } from '../../../src/report/live/watch-view.ts';
import { fakeOutput } from '../fake-output.ts';

const base = Date.parse('2026-11-01T12:00:00Z');

function see(rows: WatchRows, atSec: number, look: Omit<WatchAnswer, 'host' | 'atMs'>): string | undefined {
  return recordAnswer(rows, { host: 'web01', atMs: base + atSec * 1_000, ...look })?.words;
}

test('only changes are reported: going away, coming back after so long, and a reboot in between', () => {
  const rows = unknownRows(['web01']);
  const up = { state: 'up', bootId: 'a', bootedMs: base - 60_000 } as const;
  const error = { code: 'connect', message: 'refused' };
  assert.equal(see(rows, 0, up), '');
  assert.equal(see(rows, 5, up), undefined);
  assert.equal(see(rows, 10, { state: 'down', error }), 'connect: refused');
  assert.equal(see(rows, 20, { state: 'down', error }), undefined);
  assert.equal(see(rows, 75, { ...up, bootId: 'b', bootedMs: base + 70_000 }), 'after 1m05s, rebooted');
  assert.deepEqual(rows.get('web01'), {
    host: 'web01',
    state: 'up',
    sinceMs: base + 75_000,
    reboots: 1,
    bootId: 'b',
    bootedMs: base + 70_000,
  });
});

test('a reboot between two pings is reported all the same', () => {
  const rows = unknownRows(['web01']);
  see(rows, 0, { state: 'up', bootId: 'a' });
  assert.equal(see(rows, 5, { state: 'up', bootId: 'b' }), 'rebooted');
});

test('the time of a boot does not wander with the clocks it is made of', () => {
  const rows = unknownRows(['web01']);
  see(rows, 0, { state: 'up', bootId: 'a', bootedMs: base });
  see(rows, 5, { state: 'up', bootId: 'a', bootedMs: base + 900 });
  assert.equal(rows.get('web01')?.bootedMs, base);
});

test('a host that never answered, is down or refuses the login did not return', () => {
  const rows = unknownRows(['web01']);
  const missing = (): boolean => [...rows.values()].every(isMissing);
  assert.equal(missing(), true);
  see(rows, 0, { state: 'starting' });
  assert.equal(missing(), false);
  see(rows, 1, { state: 'refused', error: { code: 'auth', message: 'no' } });
  assert.equal(missing(), true);
});

test('a pipe gets a line for each change, or JSON; nothing comes twice', () => {
  for (const [style, wanted] of [
    ['lines', /^2026-11-01T12:00:00\.000Z\tweb01\tup\t2026-11-01T11:59:00\.000Z\t\n$/],
    ['jsonl', /^\{"at":"2026-11-01T12:00:00\.000Z","host":"web01","state":"up",.*"words":""\}\n$/],
    ['none', /^$/],
  ] as const) {
    const output = fakeOutput();
    using view = openWatchView(['web01'], output.output, style);
    const look = { host: 'web01', state: 'up', atMs: base, bootId: 'a', bootedMs: base - 60_000 } as const;
    view.record(look);
    view.record({ ...look, atMs: base + 5_000 });
    assert.match(output.stdout.text, wanted);
  }
});

test('a terminal gets one picture that changes, who is missing first', () => {
  const { output, stdout, stderr, time } = fakeOutput({ isTty: true, rows: 5 });
  {
    using view = openWatchView(['web01', 'web02', 'web03'], output, 'lines');
    view.record({
      host: 'web01',
      state: 'up',
      atMs: output.clock.now(),
      bootId: 'a',
      bootedMs: output.clock.now() - 60_000,
    });
    view.record({
      host: 'web02',
      state: 'down',
      atMs: output.clock.now(),
      error: { code: 'connect', message: 'refused' },
    });
    time.pass(500);
    assert.match(stderr.text, /web02.*down.*refused[\s\S]*web03.*unseen[\s\S]*and 1 more/);
    assert.doesNotMatch(stderr.text, /web01/);
  }
  assert.equal(stdout.text, '');
  assert.equal(time.running, 0);
});
