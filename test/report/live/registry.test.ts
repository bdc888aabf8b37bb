// Every reporter of the registry is shown one and the same rollout and held against its golden file. After a meant
// change: FETTLE_WRITE_GOLDEN=1 npm run test:unit, and read the difference.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createReporter, openReporter, reporters } from '../../../src/report/live/registry.ts';
import { fakeOutput, steering, type FakeOutput } from '../fake-output.ts';
import { rollout } from '../rollout-events.ts';

const isWriting = process.env['FETTLE_WRITE_GOLDEN'] === '1';

/** A second passes after every event; the escapes of the live view are written out so that people can read them. */
async function record(name: string): Promise<FakeOutput> {
  const fake = fakeOutput({ isTty: name === 'live', columns: 72, rows: 12 });
  const reporter = await createReporter(name, fake.output);
  for (const event of rollout) {
    reporter.event(event);
    fake.time.pass(1_000);
  }
  reporter.finish();
  return fake;
}

function readable({ stdout, stderr }: FakeOutput): string {
  const shown = stderr.text.replaceAll('\x1b', '␛');
  return `stdout:\n${stdout.text}stderr:\n${shown}`;
}

for (const { name } of reporters) {
  test(`the reporter ${name} shows the rollout as its golden file has it`, async () => {
    const file = join(import.meta.dirname, '../golden', `${name}.txt`);
    const shown = readable(await record(name));
    if (isWriting) writeFileSync(file, shown);
    assert.ok(existsSync(file), `the reporter ${name} has no golden file`);
    assert.equal(shown, readFileSync(file, 'utf8'));
  });

  test(`nothing a host prints reaches the terminal as a control character through ${name}`, async () => {
    const { stdout, stderr } = await record(name);
    // What the live view itself sends: its cursor and where it rests, erasing, wrapping, synchronised output.
    const own =
      name === 'live' ? stderr.text.replace(/\x1b(?:[78]|\[(?:\?(?:2026|7)[hl]|\d*[A-K]))|\r/g, '') : stderr.text;
    assert.deepEqual(steering(own), []);
    assert.deepEqual(steering(stdout.text), []);
  });

  test(`the reporter ${name} leaves no timer behind`, async () => {
    assert.equal((await record(name)).time.running, 0);
  });
}

test('an unknown reporter is refused with the names there are', async () => {
  await assert.rejects(createReporter('fancy', fakeOutput().output), (error: Error & { hint?: string }) => {
    assert.equal(error.message, 'there is no reporter "fancy"');
    assert.match(error.hint ?? '', /live, plain, quiet, jsonl/);
    return true;
  });
});

test('on a terminal the view is live; in a pipe, with --progress plain or -vv there are lines', async () => {
  const shown = async (isTty: boolean, choice: Parameters<typeof openReporter>[0]): Promise<string> => {
    const fake = fakeOutput({ isTty });
    const reporter = await openReporter(choice, fake.output);
    for (const event of rollout) reporter.event(event);
    fake.time.pass(250);
    const { text } = fake.stderr;
    reporter.finish();
    return text;
  };
  assert.match(await shown(true, {}), /\x1b\[\?2026h/);
  for (const text of [
    await shown(false, {}),
    await shown(true, { progress: 'plain' }),
    await shown(true, { verbose: 2 }),
  ]) {
    assert.match(text, /^\[web01\] started$/m);
    assert.doesNotMatch(text, /\x1b/);
  }
});

test('--jsonl adds every recorded event on stdout and leaves the progress on stderr', async () => {
  const fake = fakeOutput();
  const reporter = await openReporter({ jsonl: true }, fake.output);
  for (const event of rollout) reporter.event(event);
  reporter.finish();
  const lines = fake.stdout.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { time: string });
  const recorded = rollout.filter((event) => !event.type.startsWith('live.'));
  assert.deepEqual(
    lines,
    recorded.map((event, index) => ({ v: 1, seq: index + 1, time: lines[index]?.time, run: '01JRUN', ...event })),
  );
  assert.match(fake.stderr.text, /^lost/m);
});

test('each line of --jsonl has its number, its time in RFC 3339 and its run, whatever the event names itself', async () => {
  const lines = (await record('jsonl')).stdout.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { time: string });
  for (const [index, line] of lines.entries()) {
    assert.deepEqual(Object.keys(line).slice(0, 4), ['v', 'seq', 'time', 'run']);
    assert.partialDeepStrictEqual(line, { seq: index + 1, run: '01JRUN' });
    assert.match(line.time, /^2026-11-23T19:\d\d:\d\d\.\d{3}Z$/);
  }
});

test('a reader that stalls is waited for, and one that has gone is not', async () => {
  for (const end of ['drain', 'close', 'error'] as const) {
    const fake = fakeOutput();
    const reporter = await createReporter('jsonl', fake.output);
    reporter.event({ type: 'note', level: 'info', message: 'x' });
    await reporter.drained?.();
    Object.defineProperty(fake.stdout, 'writableNeedDrain', { value: true });
    let isDrained = false;
    const waiting = reporter.drained?.().then(() => (isDrained = true));
    await Promise.resolve();
    assert.equal(isDrained, false);
    fake.stdout.emit(end);
    await waiting;
    assert.equal(fake.stdout.listenerCount('drain'), 0);
  }
});
