import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAmount, parsePercent } from '../../../src/config/playbook/amount.ts';
import { parseDurationMs } from '../../../src/config/playbook/duration.ts';
import { nearest } from '../../../src/config/yaml/suggestion.ts';
import { splitWords } from '../../../src/config/inventory/shell-words.ts';

const words: readonly [text: string, expected: readonly string[] | undefined][] = [
  ['', []],
  [' a  b\t', ['a', 'b']],
  [`'a b' "c d"e`, ['a b', 'c de']],
  [`"a\\"b" 'a\\b' a\\ b "a\\b"`, ['a"b', 'a\\b', 'a b', 'a\\b']],
  [`'' ""`, ['', '']],
  ['$(id) `x` *', ['$(id)', '`x`', '*']],
  [`'open`, undefined],
  ['"open', undefined],
  ['end\\', undefined],
];
for (const [text, expected] of words) {
  test(`the words of <${text}> are ${JSON.stringify(expected)}`, () => assert.deepEqual(splitWords(text), expected));
}

const durations: readonly [text: string, ms: number | undefined][] = [
  ['90s', 90_000],
  ['10m', 600_000],
  ['6h', 21_600_000],
  ['7d', 604_800_000],
  ['2w', 1_209_600_000],
  ['0s', 0],
  ['10', undefined],
  ['1.5h', undefined],
  ['-1s', undefined],
  ['9999999w', undefined],
  ['', undefined],
];
for (const [text, ms] of durations) {
  test(`the duration <${text}> is ${ms}`, () => assert.equal(parseDurationMs(text), ms));
}

test('an amount is a count, a share or the rest', () => {
  assert.deepEqual(parseAmount(3), { kind: 'count', count: 3 });
  assert.deepEqual(parseAmount('25%'), { kind: 'percent', percent: 25 });
  assert.deepEqual(parseAmount('rest'), { kind: 'rest' });
  for (const wrong of [0, -1, 1.5, '0%', '101%', 'some', '']) assert.equal(parseAmount(wrong), undefined);
  assert.equal(parsePercent('0%'), 0);
});

test('the nearest name is near enough to be meant', () => {
  assert.equal(nearest('patch_rign', ['patch_ring', 'patch_hold']), 'patch_ring');
  assert.equal(nearest('completely', ['web', 'db']), undefined);
});
