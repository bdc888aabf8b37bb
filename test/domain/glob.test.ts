import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstGlob, globMatcher, wildcardMatcher } from '../../src/domain/glob.ts';

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
    assert.equal(globMatcher(glob)(text), matches);
  });
}

test('a glob of many stars is held against a megabyte without going back beyond the last star', () => {
  const text = 'a'.repeat(1_000_000);
  assert.equal(globMatcher(`${'*a'.repeat(30)}*b`)(text), false);
  assert.equal(wildcardMatcher(`${'*a'.repeat(30)}*b`)(text), false);
});

test('the wildcards of ssh_config are stars and question marks, nothing else', () => {
  assert.equal(wildcardMatcher('web?.*')('web1.example'), true);
  assert.equal(wildcardMatcher('web[12]')('web1'), false);
  assert.equal(wildcardMatcher('web[12]')('web[12]'), true);
});

test('the first glob that matches is named', () => {
  assert.equal(firstGlob(['apache*', 'ng*', 'nginx'], 'nginx'), 'ng*');
  assert.equal(firstGlob([], 'nginx'), undefined);
});
