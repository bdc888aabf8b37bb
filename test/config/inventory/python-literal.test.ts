// Each row was evaluated by `ast.literal_eval` of Python 3.11.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pythonLiteral } from '../../../src/config/inventory/python-literal.ts';

const literals: readonly [text: string, value: unknown][] = [
  ['5', 5],
  ['-5', -5],
  ['+ 5', 5],
  ['00', 0],
  ['0x1F', 31],
  ['0b11', 3],
  ['0o17', 15],
  ['1_000', 1000],
  ['1.', 1],
  ['.5', 0.5],
  ['1e3', 1000],
  ['01.5', 1.5],
  ['True', true],
  ['None', null],
  ['\'a\' "b"', 'ab'],
  [String.raw`'\n\x41\101\d'`, '\nAA\\d'],
  [String.raw`r'\d'`, String.raw`\d`],
  ["b'x'", 'x'],
  ["'''it's'''", "it's"],
  ['[1, [2,],]', [1, [2]]],
  ['(1)', 1],
  ['(1,)', [1]],
  ['1, 2', [1, 2]],
  ["{'a': {'b': None}, 1: 2}", { a: { b: null }, 1: 2 }],
  ['{1, 2}', [1, 2]],
  ['set()', []],
  ['5 # five', 5],
  ['12345678901234567890', '12345678901234567890'],
];
for (const [text, value] of literals) {
  test(`${text} is ${JSON.stringify(value)}`, () => assert.deepEqual(pythonLiteral(text), { value }));
}

const texts = [
  ...[
    '',
    'true',
    'yes',
    '0644',
    '1__0',
    '1_',
    '10.0.0.1',
    '5 apples',
    '--5',
    '-True',
    '1+2',
    '1j',
    '[a]',
    '[1',
    '{[]: 1}',
  ],
  ...["'a", "f'x'", `'a' b'c'`, 'set(1)', '...', '1 < 2', '(,)', '{1:}', '[1](2)', String.raw`'\N{DASH}'`, '0x', 'a'],
  '('.repeat(300) + ')'.repeat(300),
];
for (const text of texts) {
  test(`${text.slice(0, 20)} is no literal`, () => assert.equal(pythonLiteral(text), undefined));
}
