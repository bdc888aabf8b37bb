import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chalk } from 'chalk';
import { renderLive } from '../../../src/report/live/live-view.ts';
import { createReporter } from '../../../src/report/live/registry.ts';
import { emptyRun, reduceRun, type RunProgress } from '../../../src/report/run/progress.ts';
import { widthOf } from '../../../src/report/text/width.ts';
import { fakeOutput, nasty, steering } from '../fake-output.ts';
import { middle, oneHost, opening, rollout, verified, type AnyEvent } from '../rollout-events.ts';

const plain = new Chalk({ level: 0 });

function fold(events: readonly AnyEvent[], atMs = 0): RunProgress {
  const state = emptyRun();
  for (const event of events) reduceRun(state, event, atMs);
  return state;
}

function draw(state: RunProgress, { columns = 80, rows = 24, nowMs = 65_000 } = {}): string[] {
  return renderLive(state, { columns, rows, nowMs, paint: plain }).split('\n');
}

function fleet(count: number): AnyEvent[] {
  const hosts = Array.from({ length: count }, (_, index) => `web${String(index + 1).padStart(3, '0')}`);
  const steps = hosts.map((host, index): AnyEvent => {
    const step = index % 2 === 0 ? 'install' : 'verify';
    return { type: 'step.started', run: '01JRUN', host, hostId: host, attempt: 1, step };
  });
  return [{ type: 'wave.started', run: '01JRUN', wave: 0, name: 'all', hosts }, ...steps];
}

test('the header shows kind, wave, progress, time, outcomes and budget', () => {
  const state = fold([...opening, ...oneHost('web01', verified, 0)]);
  assert.deepEqual(draw(state), ['apply · wave 1 (first) · 1/5 done · 1m05s', '1 verified · budget 0 of 1 spent']);
});

test('running hosts have their step, how long, and the newest line they printed', () => {
  const state = fold([...opening, ...middle]);
  const [, , web02, web03] = draw(state);
  assert.match(web02 ?? '', /^web02 install +1m05s {2}\[web02\] verified\\u202etxt\.exe/);
  assert.match(web03 ?? '', /^web03 reboot +1m05s$/);
});

test('a finished host leaves, a bad one stays with its reason, equal ones folded', () => {
  const bad: AnyEvent[] = ['web02', 'web03'].map((host) => ({
    type: 'host.finished',
    run: '01JRUN',
    host,
    hostId: host,
    attempt: 1,
    outcome: { verdict: 'unreachable', change: 'none', reason: `${host} does not answer` },
  }));
  const lines = draw(fold([...opening, ...oneHost('web01', verified, 0), ...bad]));
  assert.equal(lines[1], '2 unreachable · 1 verified · budget 0 of 1 spent');
  assert.equal(lines[2], 'unreachable web[02-03] (2)  HOST does not answer');
  assert.equal(lines.length, 3);
});

test('no line is wider and no picture higher than the terminal, however many hosts run', () => {
  const state = fold([...opening, ...fleet(400), ...middle]);
  for (const [columns, rows] of [
    [80, 24],
    [20, 6],
    [3, 2],
    [1, 1],
  ] as const) {
    const lines = draw(state, { columns, rows });
    assert.ok(lines.length <= Math.max(1, rows - 1), `${lines.length} lines in ${rows} rows`);
    for (const line of lines) assert.ok(widthOf(line) <= Math.max(1, columns - 1), `${line} in ${columns} columns`);
  }
});

test('hosts that find no room are folded by step and counted', () => {
  const lines = draw(fold(fleet(40)), { rows: 6 });
  assert.equal(lines.length, 5);
  assert.equal(lines.at(-1), 'and 37 more: 19 verify, 18 install: web[004-040]');
});

test('wide characters count as the two columns they take', () => {
  const state = fold(opening);
  reduceRun(state, { type: 'step.started', run: 'r', host: 'web01', hostId: 'web01', attempt: 1, step: 'install' }, 0);
  reduceRun(state, { type: 'live.output', host: 'web01', stream: 'log', text: '設定しています'.repeat(20) }, 0);
  for (const line of draw(state, { columns: 40 })) assert.ok(widthOf(line) < 40, line);
});

test('output that comes in pieces, with sequences split between them, is put together', () => {
  const state = fold(opening);
  const print = (text: string): void => {
    reduceRun(state, { type: 'live.output', host: 'web01', stream: 'log', text }, 0);
  };
  print('Setting up lib');
  print('c6 \x1b[3');
  print('1mnow');
  assert.equal(state.hosts.get('web01')?.line, 'Setting up libc6 \x1b[31mnow');
  print('x'.repeat(1_000_000));
  assert.ok((state.hosts.get('web01')?.tail.length ?? Infinity) <= 1_000);
});

test('a host that is tried again is no longer bad', () => {
  const state = fold(rollout);
  assert.equal(state.hosts.get('web02')?.outcome?.verdict, 'lost');
  reduceRun(state, { type: 'host.started', run: '01JRUN', host: 'web02', hostId: 'web02', attempt: 2 }, 0);
  assert.equal(state.hosts.get('web02')?.outcome, undefined);
  assert.equal(state.hosts.get('web02')?.phase, 'waiting');
});

test('a scan counts as done what was scanned, and a host refreshed for a plan is no skipped host', () => {
  const of = { run: 'r', host: 'web01', hostId: 'web01', attempt: 1 };
  const started = { ...opening[0], kind: 'plan' } as AnyEvent;
  const state = fold([started, { type: 'host.started', ...of }]);
  const outcome = { verdict: 'skipped', change: 'none', reason: 'package metadata refreshed for a plan' } as const;
  reduceRun(state, { type: 'host.finished', ...of, outcome }, 0);
  assert.equal(state.hosts.get('web01')?.phase, 'done');
  assert.equal(state.hosts.get('web01')?.outcome, undefined);
});

test('nothing a host prints steers the terminal through the picture', () => {
  const state = fold([...opening, ...middle]);
  reduceRun(state, { type: 'live.note', host: 'web03', note: nasty }, 0);
  reduceRun(state, { type: 'step.started', run: 'r', host: nasty, hostId: 'x', attempt: 1, step: 'install' }, 0);
  assert.deepEqual(steering(draw(state).join('\n')), []);
});

test('the view is drawn at most five times a second and steps aside for what others write', async () => {
  const { output, stderr, time } = fakeOutput({ isTty: true });
  const reporter = await createReporter('live', output);
  for (const event of opening) reporter.event(event);
  for (let at = 0; at < 1_000; at += 10) {
    reporter.event({ type: 'live.output', host: 'web01', stream: 'log', text: `${at}\n` });
    reporter.event({ type: 'step.started', run: 'r', host: 'web01', hostId: 'web01', attempt: at, step: 'install' });
    time.pass(10);
  }
  assert.ok(stderr.text.split('apply ·').length - 1 <= 5);
  const before = stderr.text.length;
  output.stdout.write('data\n');
  assert.ok(stderr.text.slice(before).endsWith('\x1b[J'), 'the view is taken away first');
  reporter.finish();
  const after = stderr.text.length;
  output.stderr.write('later\n');
  assert.equal(stderr.text.slice(after), 'later\n');
});

test('where nothing can be redrawn the live reporter writes lines', async () => {
  const { output, stderr } = fakeOutput();
  const reporter = await createReporter('live', output);
  for (const event of opening) reporter.event(event);
  assert.match(stderr.text, /^wave 1 \(first\) started: web01 \(1\)$/m);
  reporter.finish();
});
