import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import { renderError } from '../../../src/report/text/error-text.ts';
import { fakeOutput, nasty, steering } from '../fake-output.ts';

const { output } = fakeOutput();

test('an error is what failed and what to do, without a stack', () => {
  const error = new FettleError('connect', 'cannot reach web01', {
    hint: 'is it on?',
    cause: new Error('ECONNREFUSED'),
  });
  assert.equal(renderError(error, output, { debug: false }), 'fettle: cannot reach web01\nhint: is it on?');
});

test('diagnostics keep their places and excerpts', () => {
  const message = "hosts.yaml:3:5: unknown key 'hots'\n  3 | hots:\n    | ^\nhosts.yaml:9:1: no hosts";
  const text = renderError(new FettleError('config', message, { details: { errors: [{}, {}] } }), output, {
    debug: false,
  });
  assert.equal(text, `fettle: 2 errors in the configuration\n${message}`);
});

test('an error about a file as a whole needs neither a heading nor a position', () => {
  const error = new FettleError('config', 'hosts.yaml: cannot be opened: no such file\n  hint: check its path', {
    details: { errors: [{}] },
  });
  const text = renderError(error, output, { debug: false });
  assert.equal(text, 'fettle: hosts.yaml: cannot be opened: no such file\n  hint: check its path');
});

test('any other error is an internal error, its stack only with --debug, causes included', () => {
  const error = new TypeError('x is undefined', { cause: new Error('deeper') });
  const text = renderError(error, output, { debug: false });
  assert.match(text, /^fettle: internal error: x is undefined\nhint: .*--debug/);
  assert.doesNotMatch(text, / at /);
  const debug = renderError(error, output, { debug: true });
  assert.match(debug, / at /);
  assert.match(debug, /caused by: Error: deeper/);
  assert.match(renderError('thrown text', output, { debug: false }), /internal error: thrown text/);
});

test('a circle of causes ends', () => {
  const error = new Error('round');
  error.cause = error;
  assert.ok(renderError(error, output, { debug: true }).length > 0);
});

test('no output of a host steers the terminal from within an error', () => {
  const error = new FettleError('command', `it said ${nasty}`, { hint: nasty, cause: new Error(nasty) });
  assert.deepEqual(steering(renderError(error, output, { debug: true })), []);
});
