// The orders of versions besides Debian's, on cases that each project publishes with its own tests.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareAlpmVersions } from '../../../src/managers/versions/alpm.ts';
import { compareApkVersions } from '../../../src/managers/versions/apk.ts';
import { compareFreebsdVersions } from '../../../src/managers/versions/freebsd.ts';
import { compareRpmVersions } from '../../../src/managers/versions/rpm.ts';

interface Order {
  readonly name: string;
  readonly compare: (left: string, right: string) => number;
  /** Where the cases are published. */
  readonly source: string;
  /** Each is older than the next. */
  readonly ascending: readonly string[];
  /** In each line all are equal. */
  readonly equal: readonly string[];
}

const orders: readonly Order[] = [
  {
    name: 'rpm',
    compare: compareRpmVersions,
    source: 'tests/rpmvercmp.at of rpm',
    ascending: [
      '1.0 2.0 2.0.1 2.0.1a',
      '5.5p1 5.5p2 5.5p10 5.6p1 6.5p1',
      '10xyz 10.1xyz',
      'xyz10 xyz10.1',
      'xyz.4 2 8',
      '6.0 6.0.rc1',
      '10a1 10a2 10b2',
      '1.0a 1.0aa',
      '10.0001 10.0039',
      '4.999.9 5.0 20101121 20101122',
      '1.0~rc1~git123 1.0~rc1 1.0~rc1^git1 1.0~rc2 1.0 1.0^ 1.0^git1~pre 1.0^git1 1.0^git2 1.01',
      '1.0^20160101 1.0^20160101^git1 1.0^20160102 1.0.1',
      '1b.fc17 1.fc17 1g.fc17',
    ],
    equal: ['10.0001 10.1', '2_0 2.0', 'a a+ a_ +a _a', '+ _ +_ _+'],
  },
  {
    name: 'rpm with epochs and releases',
    compare: compareRpmVersions,
    source: 'rpm-version(7)',
    ascending: [
      '9-1 1:0.1-1 1:0.1-2 2:0-1',
      '5.14.0-503.9.1.el9 5.14.0-503.14.1.el9_5 5.14.0-503.15.1.el9_5',
      '1.0 1.0-0 1.0-1~rc1 1.0-1 1.0-1^git1.1 1.0-1.1 1.0-2',
    ],
    equal: ['0:1.0-1 1.0-1', '01:1-1 1:1-1', '1.0-01 1.0-1'],
  },
  {
    name: 'pacman',
    compare: compareAlpmVersions,
    source: 'test/util/vercmptest.sh of pacman, vercmp(8)',
    ascending: [
      '1.5.0 1.5.1',
      '1.5 1.5.1',
      '1.5.0-1 1.5.0-2 1.5.1-1',
      '1.5b-1 1.5-1',
      '1.5b 1.5 1.5.1',
      '1.0a 1.0alpha 1.0b 1.0beta 1.0p 1.0pre 1.0rc 1.0 1.0.a 1.0.1',
      '1.5 1.5.a 1.5.b 1.5.1',
      '1.5-1 1.5.b',
      '9-1 1:1-1 2:0-1',
    ],
    equal: ['1.5 1.5-1', '1.5.b-1 1.5.b', '0:1.0-1 1.0-1'],
  },
  {
    name: 'apk',
    compare: compareApkVersions,
    source: 'test/version.data of apk-tools',
    ascending: [
      '0.1.0_alpha_pre2 0.1.0_alpha 0.1.0_alpha2 0.1.3_alpha 2.2.39-r1',
      '4_beta 23_foo',
      '0.12 0.13_beta1 0.13_beta2 0.13_beta5 0.13',
      '1.1_alpha1 1.1 1.2 1.3_alpha 1.3_alpha2 1.3_alpha3 1.3_pre1-r1 1.3.2',
      '3.1_p16 3.1_p17 4.3_p2-r1 4.3_p2-r5 4.4_p1-r6 4.5_p1 4.5_p1-r1',
      '1.3.5-r8 1.3.5-r9 1.3.5-r10',
      '2.5.1-r8 2.5.1a-r1',
      '0.9.8c-r1 0.9.8d',
      '1.0_p9-r0 1.0_p10-r0',
      '1.0.0_pre20191002222144-r0 1.0.0_pre20210530193627-r0 1.0.0',
      '1.06-r6 006 087-r1 103 104-r9 104-r11',
      '0.9.28 0.9.28-r1 0.9.28-r2 0.9.28.1',
      '1.0 1.0b 1.0.1',
      '8.2.0 8.2.0015 8.2.002 8.2.15',
      '1.0_git1 1.0_git1~12ab 1.0_git1~34cd',
    ],
    equal: ['0.1.0_alpha 0.1.0_alpha', '2.16.1-r3 2.16.1-r3', '3.0.24 3.0.24'],
  },
  {
    name: 'pkg of FreeBSD',
    compare: compareFreebsdVersions,
    source: 'tests/frontend/version.sh and the comments of libpkg/pkg_version.c of pkg',
    ascending: [
      '1 2 1,1',
      '1.pl1 1.alpha1 1.beta1 1.pre1 1.rc1 1',
      '10alpha 10 10a 10b',
      'pl11 alpha3 0.1beta2 0.1',
      '2.* 2pl1 2alpha3 2.9f7 3.*',
      '5 5.20 5.20_3 6',
      '1.0.1:2003.09.16 1.0:2003.09.16',
      '1.17.5_1 1.18.3 1.17.5_1,1',
      '1.21.3 2.0.b2_1 2.0 2.0_1',
    ],
    equal: [
      '2 2',
      '10 10.0 10.0.0',
      '10..1 10.1',
      '10a1b2 10a1.b2',
      '1.d2 1.dev2 1.Development2',
      '1.17.5_1,0 1.17.5_1',
    ],
  },
];

for (const { name, compare, source, ascending, equal } of orders) {
  describe(`versions of ${name}, by ${source}`, () => {
    for (const line of ascending) {
      test(`stand in the order ${line.replaceAll(' ', ' < ')}`, () => {
        const versions = line.split(' ');
        for (const [i, left] of versions.entries()) {
          for (const [j, right] of versions.entries()) {
            assert.equal(compare(left, right), Math.sign(i - j), `${left} against ${right}`);
          }
        }
      });
    }

    test('are equal where only what does not count differs', () => {
      for (const versions of equal.map((line) => line.split(' '))) {
        for (const left of versions) {
          for (const right of versions) assert.equal(compare(left, right), 0, `${left} against ${right}`);
        }
      }
    });
  });
}
