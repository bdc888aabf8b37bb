import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReporter } from '../../../src/report/live/registry.ts';
import { fakeOutput } from '../fake-output.ts';
import { middle, oneHost, opening, rollout, verified } from '../rollout-events.ts';

test('a quiet minute is broken by one line with the current state', async () => {
  const { output, stderr, time } = fakeOutput();
  const reporter = await createReporter('plain', output);
  for (const event of [...opening, ...oneHost('web01', verified, 0), ...middle]) reporter.event(event);
  const before = stderr.text.length;
  time.pass(59_000);
  assert.equal(stderr.text.slice(before), '');
  time.pass(1_000);
  assert.equal(
    stderr.text.slice(before),
    'still running after 1m00s: 1 of 5 hosts done; install: web02 (1); reboot: web03 (1)\n',
  );
  time.pass(120_000);
  assert.equal(stderr.text.slice(before).split('\n').length - 1, 3);
  reporter.finish();
});

test('nothing is printed before the first event, and nothing after the end', async () => {
  const { output, stderr, time } = fakeOutput();
  const reporter = await createReporter('plain', output);
  time.pass(300_000);
  reporter.finish();
  time.pass(300_000);
  assert.equal(stderr.text, '');
});

test('-v shows every step, -vv also what hosts print, line by line with their name', async () => {
  const shown = async (verbose: number): Promise<string> => {
    const { output, stderr } = fakeOutput();
    const reporter = await createReporter('plain', output, { verbose });
    for (const event of rollout) reporter.event(event);
    reporter.finish();
    return stderr.text;
  };
  assert.doesNotMatch(await shown(0), /preflight/);
  assert.match(await shown(1), /^\[web01\] preflight done$/m);
  assert.doesNotMatch(await shown(1), /Setting up/);
  assert.match(await shown(2), /^\[web01\] \| Setting up openssl \.\.\.$/m);
});

test('output without line breaks is printed in pieces, and what is left over at the end of its step', async () => {
  const { output, stderr } = fakeOutput();
  const reporter = await createReporter('plain', output, { verbose: 2 });
  for (const event of opening) reporter.event(event);
  reporter.event({ type: 'live.output', host: 'web01', stream: 'log', text: 'x'.repeat(10_000) });
  reporter.event({ type: 'live.output', host: 'web01', stream: 'log', text: 'rest' });
  assert.match(stderr.text, /^\[web01\] \| x{10000}$/m);
  const of = { run: '01JRUN', host: 'web01', hostId: 'web01', attempt: 1 };
  reporter.event({ type: 'step.finished', ...of, step: 'install', ok: true });
  assert.match(stderr.text, /^\[web01\] \| rest$/m);
  reporter.finish();
});

test('quiet prints nothing of a good run, nor of an end that --ok accepts', async () => {
  const shown = async (exitName: string, exitCode: number, accepted: readonly string[] = []): Promise<string> => {
    const { output, stderr } = fakeOutput();
    const reporter = await createReporter('quiet', output, { accepted });
    for (const event of [...opening, ...oneHost('web01', verified, 0)]) reporter.event(event);
    reporter.event({ type: 'run.finished', run: '01JRUN', exitCode, exitName, reasons: [], counts: {} });
    reporter.finish();
    return stderr.text;
  };
  assert.equal(await shown('ok', 0), '');
  assert.equal(await shown('locked', 11, ['locked']), '');
  assert.match(await shown('locked', 11), /exit 11 \(locked\)/);
  assert.equal(await shown('changes', 3), '', 'what --detailed-exitcode reports is no fault');
});

test('quiet leaves out no warning of a run that ended well', async () => {
  const { output, stderr } = fakeOutput();
  const reporter = await createReporter('quiet', output);
  for (const event of [...opening, ...oneHost('web01', verified, 0)]) reporter.event(event);
  reporter.event({ type: 'note', run: '01JRUN', level: 'warn', message: 'drift is judged by old lists' });
  reporter.event({ type: 'note', run: '01JRUN', level: 'info', message: 'the host was away for 3 s' });
  reporter.event({ type: 'run.finished', run: '01JRUN', exitCode: 0, exitName: 'ok', reasons: [], counts: {} });
  reporter.finish();
  assert.match(stderr.text, /^\S.*drift is judged by old lists$/m);
  assert.equal(stderr.text.split('\n').length, 2);
});

test('quiet reports a run that was detached', async () => {
  const { output, stderr } = fakeOutput();
  const reporter = await createReporter('quiet', output);
  for (const event of [...opening, ...oneHost('web01', verified, 0)]) reporter.event(event);
  const message = 'let go; go on with: fettle run resume 01JRUN';
  reporter.event({ type: 'run.detached', run: '01JRUN', hosts: ['web02'], message });
  reporter.finish();
  assert.match(stderr.text, /fettle run resume 01JRUN/);
});
