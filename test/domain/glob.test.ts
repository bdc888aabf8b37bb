import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstGlob, globExpression } from '../../src/domain/glob.ts';

const cases: readonly [glob: string, text: string, matches: boolean][] = [
  ['nginx', 'nginx', true],
  ['nginx', 'nginx-common', false],
  ['nginx*', 'nginx-common', true],
  ['*', '', true],
  ['lib?', 'libc', true],
  ['lib?', 'libcc', false],
  ['lib[ab]', 'libb', true],
  ['lib[!ab]', 'libb', false],
  ['lib[!ab]', 'libc', true],
  ['lib[0-9]', 'lib7', true],
  ['lib[', 'lib[', true],
  ['lib[9-0]', 'lib[9-0]', true],
  ['g++-12', 'g++-12', true],
  ['g++-12', 'ggg-12', false],
  ['a.c', 'abc', false],
  ['tcp 0.0.0.0:8* java', 'tcp 0.0.0.0:8080 java', true],
  ['a***b', 'axxb', true],
];

for (const [glob, text, matches] of cases) {
  test(`the glob ${glob} ${matches ? 'matches' : 'does not match'} "${text}"`, () => {
    assert.equal(globExpression(glob).test(text), matches);
  });
}

test('the first glob that matches is named', () => {
  assert.equal(firstGlob(['apache*', 'ng*', 'nginx'], 'nginx'), 'ng*');
  assert.equal(firstGlob([], 'nginx'), undefined);
});
