import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { conflictsOf, isNamed, type Party } from '../../../src/managers/pacman/relations.ts';

function party(name: string, version: string, over: Partial<Party> = {}): Party {
  return { name, version, provides: [], conflicts: [], ...over };
}

const names = (pairs: readonly (readonly [Party, Party])[]): readonly string[] =>
  pairs.map(([left, right]) => `${left.name} ${right.name}`);

describe('conflicts of pacman packages', () => {
  test('count by name and version, with epochs', () => {
    const staying = [party('b', '1:1.0-2')];
    const conflict = (text: string) => names(conflictsOf([party('a', '2-1', { conflicts: [text] })], staying));
    assert.deepEqual(conflict('b'), ['a b']);
    assert.deepEqual(conflict('b<2.0'), []);
    assert.deepEqual(conflict('b<1:1.1'), ['a b']);
    assert.deepEqual(conflict('b=1:1.0'), ['a b']);
    assert.deepEqual(conflict('b>=1:1.0-3'), []);
    assert.deepEqual(conflict('c'), []);
  });

  test('count by what a package provides, a version only where the provision has one', () => {
    const staying = [party('b', '1-1', { provides: ['virtual=3', 'plain'] })];
    const conflict = (text: string) => names(conflictsOf([party('a', '2-1', { conflicts: [text] })], staying));
    assert.deepEqual(conflict('virtual'), ['a b']);
    assert.deepEqual(conflict('virtual<3'), []);
    assert.deepEqual(conflict('virtual<=3'), ['a b']);
    assert.deepEqual(conflict('plain'), ['a b']);
    assert.deepEqual(conflict('plain=1'), []);
  });

  test('count in both directions, once, and never among packages that stay or with the package itself', () => {
    const both = conflictsOf([party('a', '2-1', { conflicts: ['b'] })], [party('b', '1-1', { conflicts: ['a'] })]);
    assert.deepEqual(names(both), ['a b']);
    assert.deepEqual(names(conflictsOf([party('a', '2-1')], [party('b', '1-1', { conflicts: ['a'] })])), ['a b']);
    assert.deepEqual(conflictsOf([], [party('a', '1-1', { conflicts: ['b'] }), party('b', '1-1')]), []);
    assert.deepEqual(conflictsOf([party('a', '1-1', { conflicts: ['x'], provides: ['x'] })], []), []);
  });
});

describe('replacements of pacman packages', () => {
  test('count by the name of the package alone', () => {
    assert.equal(isNamed(party('old', '1-1'), 'old'), true);
    assert.equal(isNamed(party('old', '1-1'), 'old<2'), true);
    assert.equal(isNamed(party('old', '2-1'), 'old<2'), false);
    assert.equal(isNamed(party('other', '1-1', { provides: ['old'] }), 'old'), false);
  });
});
