import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import {
  commandsAsTyped,
  createOutput,
  decideColour,
  endQuietlyOnClosedPipe,
} from '../../../src/report/text/output.ts';
import { ManualTime, MemoryStream } from '../fake-output.ts';

test('the flag decides about colour, then NO_COLOR, then what forces it, then the terminal', () => {
  const cases: [Parameters<typeof decideColour>[0], boolean][] = [
    [{ env: {}, isTty: true }, true],
    [{ env: {}, isTty: false }, false],
    [{ env: { TERM: 'dumb' }, isTty: true }, false],
    [{ env: { NO_COLOR: '1' }, isTty: true }, false],
    [{ env: { NO_COLOR: '' }, isTty: true }, true],
    [{ env: { FORCE_COLOR: '1' }, isTty: false }, true],
    [{ env: { FORCE_COLOR: '' }, isTty: false }, true],
    [{ env: { FORCE_COLOR: '0' }, isTty: true }, false],
    [{ env: { CLICOLOR_FORCE: '1', TERM: 'dumb' }, isTty: false }, true],
    [{ env: { CLICOLOR_FORCE: '0' }, isTty: false }, false],
    [{ env: { NO_COLOR: '1', FORCE_COLOR: '1' }, isTty: true }, false],
    [{ env: { NO_COLOR: '1' }, isTty: false, flag: true }, true],
    [{ env: { FORCE_COLOR: '1' }, isTty: true, flag: false }, false],
  ];
  for (const [question, answer] of cases) assert.equal(decideColour(question), answer, JSON.stringify(question));
});

test('a pipe has no width, a terminal of unknown width has eighty columns', () => {
  const open = (isTty: boolean, columns: number): number => {
    const stream = new MemoryStream({ isTty, columns });
    return createOutput({ stdout: stream, stderr: stream, env: {}, clock: new ManualTime() }).stdout.columns();
  };
  assert.deepEqual([open(false, 20), open(true, 120), open(true, 0)], [Infinity, 120, 80]);
});

test('a dumb terminal is not redrawn', () => {
  const stderr = new MemoryStream({ isTty: true });
  const make = (env: Record<string, string>): boolean =>
    createOutput({ stdout: stderr, stderr, env, clock: new ManualTime() }).canRedraw;
  assert.deepEqual([make({}), make({ TERM: 'dumb' })], [true, false]);
});

test('a reader that went away ends nothing; a full disk is reported', () => {
  const stream = new EventEmitter();
  const told: string[] = [];
  endQuietlyOnClosedPipe(stream, (error) => told.push(`${error.code}: ${error.message}`));
  stream.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  assert.deepEqual(told, []);
  stream.emit('error', Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
  assert.deepEqual(told, ['disk: the output cannot be written: no space left on device']);
});

test('commands in texts for people are named as they are typed here, and other words stay', () => {
  const asTyped = commandsAsTyped('npm run fettle --', ['apply', 'run list', 'run show']);
  assert.equal(asTyped('next: fettle apply plan.json'), 'next: npm run fettle -- apply plan.json');
  assert.equal(
    asTyped('see `fettle run show`; fettle runs on it'),
    'see `npm run fettle -- run show`; fettle runs on it',
  );
  assert.equal(commandsAsTyped('fettle', ['apply'])('fettle apply'), 'fettle apply');
});
