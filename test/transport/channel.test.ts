import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { converse } from '../../src/transport/channel.ts';

test('a command that has ended waits for the reader of its last output, whose error is that of the command', async () => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const { promise: isFull, reject: fillUp } = Promise.withResolvers<void>();
  const channel = { stdin, stdout, stderr, ended: Promise.resolve({ exitCode: 0 }), release: () => undefined };
  const read = Promise.withResolvers<void>();
  const onStdout = (): Promise<void> => {
    read.resolve();
    return isFull;
  };
  const result = converse(channel, { command: 'echo x', onStdout }, 'a command');
  stderr.end();
  stdout.write('x');
  await read.promise;
  // As a channel that is torn down while its stream is paused.
  stdout.destroy();
  stderr.resume();
  await new Promise(setImmediate);
  fillUp(new Error('the reader is full'));
  await assert.rejects(result, /the reader is full/);
});
