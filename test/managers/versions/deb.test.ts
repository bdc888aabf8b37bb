import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { compareDebVersions } from '../../../src/managers/versions/deb.ts';

/** Each is older than the next. */
const ascending = [
  ['1.0~~', '1.0~~a', '1.0~', '1.0', '1.0-1', '1.0-1+deb12u1', '1.0-1.1', '1.0-2', '1.0a', '1.0+b1', '1.0.1', '1.10'],
  ['9', '1:0.1', '1:1', '2:0'],
  ['6.1.0-9-amd64', '6.1.0-31-amd64', '6.1.0-32-amd64', '6.12.90+deb13-amd64', '6.12.90+deb13.1-amd64'],
  ['5.36.0-7+deb12u2', '5.36.0-7+deb12u4', '5.36.0-7+deb12u10'],
  ['1.0-rc1', '1.0-rc2', '1.0.0-0', '1.0.0-0ubuntu1', '1.0.0-0ubuntu1.1'],
  ['0', '0.0', '0.0.0', '00000000000000000001', '99999999999999999998', '99999999999999999999'],
];

describe('versions of Debian packages', () => {
  for (const versions of ascending) {
    test(`stand in the order ${versions.join(' < ').slice(0, 80)}`, () => {
      for (const [i, left] of versions.entries()) {
        for (const [j, right] of versions.entries()) {
          assert.equal(compareDebVersions(left, right), Math.sign(i - j), `${left} against ${right}`);
        }
      }
    });
  }

  test('are equal where only zeroes or the way they are written differ', () => {
    for (const [left, right] of [
      ['1.0', '1.00'],
      ['0:1', '1'],
      ['1.0-0', '1.0'],
      ['1.01', '1.1'],
    ]) {
      assert.equal(compareDebVersions(left ?? '', right ?? ''), 0, `${left} against ${right}`);
    }
  });

  const skip = spawnSync('dpkg', ['--version']).status === 0 ? false : 'dpkg is not installed';
  test('compare as dpkg compares them', { skip }, () => {
    const all = [...ascending.flat(), '1.0-0', '1.00', '1.01', '1~', '1+', '1.', '1a~', '1.2.3-4~bpo12+1'];
    const pairs = all.map((left, i): [string, string] => [left, all[(i * 7 + 3) % all.length] ?? left]);
    for (const [left, right] of pairs) {
      const sign = compareDebVersions(left, right);
      const word = sign < 0 ? 'lt' : sign > 0 ? 'gt' : 'eq';
      const { status } = spawnSync('dpkg', ['--compare-versions', left, word, right]);
      assert.equal(status, 0, `${left} ${word} ${right}`);
    }
  });
});
