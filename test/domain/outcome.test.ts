import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../src/domain/error.ts';
import type { ErrorCode } from '../../src/domain/error.ts';
import { exitOfOutcome, isAsAsked, verdictOfError, verdicts } from '../../src/domain/outcome.ts';
import type { Outcome, Verdict } from '../../src/domain/outcome.ts';

function outcome(verdict: Verdict, more: Partial<Outcome> = {}): Outcome {
  return { verdict, change: 'none', reason: 'because', ...more };
}

function failing(code: ErrorCode): Partial<Outcome> {
  return { error: { code, message: code } };
}

test('a verdict that is bad spends budget and fails the run, one that is good does neither', () => {
  for (const [verdict, { weight, budget, exit }] of Object.entries(verdicts)) {
    if (weight === 'bad') assert.ok(budget !== undefined && exit !== 'ok', verdict);
    if (weight === 'good') assert.ok(budget === undefined && exit === 'ok', verdict);
  }
});

test('a host that was left alone on purpose exits ok, one that was left alone by an error does not', () => {
  assert.equal(exitOfOutcome(outcome('skipped'), false), 'ok');
  assert.equal(exitOfOutcome(outcome('skipped', failing('config')), false), 'partial');
  assert.equal(exitOfOutcome(outcome('skipped', failing('lock-held')), false), 'locked');
  assert.equal(exitOfOutcome(outcome('detached', failing('lock-held')), false), 'locked');
  assert.equal(exitOfOutcome(outcome('failed', failing('lock-held')), false), 'partial');
});

test('a reboot that is left to others is ok only where the mode is written down', () => {
  const pending = outcome('pending-reboot', { followsFromMode: true });
  assert.equal(exitOfOutcome(pending, true), 'ok');
  assert.equal(exitOfOutcome(pending, false), 'unverified');
  assert.equal(exitOfOutcome(outcome('pending-reboot'), true), 'unverified');
  assert.ok(isAsAsked(pending));
});

test('an error means the same for a host in every command: reached, not reached, or not its fault', () => {
  const expected: readonly [ErrorCode, Verdict][] = [
    ['connect', 'unreachable'],
    ['timeout', 'unreachable'],
    ['auth', 'unreachable'],
    ['host-key', 'unreachable'],
    ['elevate', 'failed'],
    ['command', 'failed'],
    ['parse', 'failed'],
    ['lock-held', 'skipped'],
    ['cancelled', 'skipped'],
  ];
  for (const [code, verdict] of expected) assert.equal(verdictOfError(new FettleError(code, 'x')), verdict, code);
  assert.equal(verdictOfError(new FettleError('connect', 'x', { details: { ours: true } })), 'skipped');
});
