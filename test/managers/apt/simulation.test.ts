import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAptSimulation } from '../../../src/managers/apt/simulation.ts';

/** Lines of apt-get 2.6 and 2.8 as real hosts printed them. */
const lines: readonly [line: string, read: string][] = [
  [
    'Inst base-files [12.4+deb12u11] (12.4+deb12u15 Debian:12.15/oldstable [amd64])',
    'base-files:amd64 12.4+deb12u11 → 12.4+deb12u15 from Debian:12.15/oldstable',
  ],
  [
    'Inst libperl5.36 [5.36.0-7] (5.36.0-7+deb12u4 Debian-Security:12/oldstable-security [amd64]) [perl:amd64 ]',
    'libperl5.36:amd64 5.36.0-7 → 5.36.0-7+deb12u4 from Debian-Security:12/oldstable-security',
  ],
  [
    'Inst gcc-14-base [14-1] (14.2.0-4 Ubuntu:24.04/noble-updates, Ubuntu:24.04/noble-security [amd64]) []',
    'gcc-14-base:amd64 14-1 → 14.2.0-4 from Ubuntu:24.04/noble-updates + Ubuntu:24.04/noble-security',
  ],
  ['Inst newdep (1.0 Debian:stable-updates [all])', 'newdep:all - → 1.0 from Debian:stable-updates'],
  ['Inst zlib1g:i386 [1:1.2] (1:1.3 Debian:12/stable [i386])', 'zlib1g:i386 1:1.2 → 1:1.3 from Debian:12/stable'],
  ['Inst local [1] (2 [amd64])', 'local:amd64 1 → 2 from '],
];

describe('a simulation of apt-get', () => {
  for (const [line, read] of lines) {
    test(`reads ${line.slice(0, 60)}`, () => {
      const [item] = parseAptSimulation(line, 'amd64').installs;
      assert.ok(item);
      const { name, arch, from, to, origins } = item;
      assert.equal(`${name}:${arch} ${from ?? '-'} → ${to} from ${origins.join(' + ')}`, read);
    });
  }

  test('reads removals, native and foreign', () => {
    const { removes } = parseAptSimulation('Remv victim [1.0]\nRemv other:i386 [2.0] [x:i386 ]\n', 'amd64');
    assert.deepEqual(removes, [
      { manager: 'apt', name: 'victim', arch: 'amd64', version: '1.0' },
      { manager: 'apt', name: 'other', arch: 'i386', version: '2.0' },
    ]);
  });

  test('keeps the errors of old and new apt, and its status', () => {
    const { errors, exitCode } = parseAptSimulation('E: Held\nError: Broken\nW: old\nrc 100\n', 'amd64');
    assert.deepEqual(errors, ['Held', 'Broken']);
    assert.equal(exitCode, 100);
    assert.equal(parseAptSimulation('', 'amd64').exitCode, undefined);
  });

  test('takes no prose for a package', () => {
    const prose =
      'Installing things\nInst\nInst (broken\nThe following packages have been kept back:\n  Inst x [1] (2 [amd64])\n';
    assert.deepEqual(parseAptSimulation(prose, 'amd64').installs, []);
  });
});
