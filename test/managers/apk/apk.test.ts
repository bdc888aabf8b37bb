import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { apk } from '../../../src/managers/apk/apk.ts';
import type { PackageScan } from '../../../src/managers/contract/package-manager.ts';
import { aScan } from '../../domain/fixtures.ts';
import { written } from './rig.ts';

const { facts, privileges } = aScan();
const collectedMs = 1_796_072_800_000;

function scan(change: (sections: Map<string, string>) => void = () => {}, name = 'everything'): PackageScan {
  const sections = written(name);
  change(sections);
  return apk.parseScan(sections, { collectedMs, maxAgeMs: 3_600_000, facts: { ...facts, clockSkewMs: 0 }, privileges });
}

describe('a scan with apk', () => {
  test('reports an update with both versions, architecture and origin, whatever its licence is called', () => {
    const found = scan().updates.find(({ name }) => name === 'py3-foo');
    assert.deepEqual(found, {
      ...{ manager: 'apk', name: 'py3-foo', arch: 'noarch', from: '1.9.0_pre20250101-r0', to: '1.10.0_rc1-r1' },
      ...{ origins: [], class: 'unknown', isKernel: false, source: 'py3-foo', sourceVersion: '1.10.0_rc1-r1' },
    });
  });

  test('keeps back what world binds to a version, and nothing else', () => {
    const held = scan().updates.filter(({ heldBack }) => heldBack !== undefined);
    assert.deepEqual(
      held.map(({ name, heldBack }) => [name, heldBack]),
      [['held', { kind: 'held' }]],
    );
  });

  test('names the packages that the updates would bring in, and kernels', () => {
    assert.deepEqual(
      scan().newPackages?.map(({ name, to }) => [name, to]),
      [['pcre2', '10.46-r0']],
    );
    assert.deepEqual(
      scan().updates.flatMap(({ name, isKernel }) => (isKernel ? [name] : [])),
      ['linux-lts'],
    );
  });

  test('calls a package broken that apk shows as up to date although its script failed', () => {
    const broken = scan().packages.filter(({ state }) => state === 'broken');
    assert.deepEqual(
      broken.map(({ name, version, stateDetail }) => [name, version, stateDetail]),
      [['badpost', '1.1-r0', 'apk marks it f:s']],
    );
  });

  test('says in the words of apk why nothing can be upgraded, and that a repository could not be opened', () => {
    const messages = scan(undefined, 'blocked').problems.map(({ message }) => message);
    assert.ok(
      messages.some((text) => text.startsWith('apk cannot upgrade: ERROR: unable to select packages: nosuchlib')),
    );
    assert.ok(messages.some((text) => text.startsWith('opening from cache http://dl.example.org/alpine/v3.22/main')));
  });

  test('never takes an answer that was cut off, or too few lists, for no updates', () => {
    const cut = (sections: Map<string, string>) => sections.set('apk-upgradable', 'musl-1.2.5-r10 x86_64\n');
    assert.throws(() => scan(cut), { code: 'command', message: /cut off/ });
    const fewer = scan((sections) => sections.set('apk-indexes', '1796072000\n'));
    assert.ok(fewer.problems.some(({ isIncomplete }) => isIncomplete));
    const none = scan((sections) => sections.set('apk-indexes', ''));
    assert.equal(none.metadata?.isStale, true);
  });

  test('lets nothing be begun, and says why', () => {
    assert.deepEqual(
      scan()
        .problems.filter(({ isBlocking }) => isBlocking)
        .map(({ code }) => code),
      ['untried'],
    );
    assert.equal(apk.isUntested, true);
  });
});

describe('a simulation with apk', () => {
  test('reads versions with a tag, padded numbers of apk 3, new packages and removals', () => {
    const sections = written('everything');
    sections.set('apk-asked', 'edgetool,x86_64,9.0-r0\nbadpost,x86_64,1.2-r0\n');
    sections.set(
      'apk-steps',
      '( 1/10) Upgrading edgetool@edge (8.9-r0 -> 9.0-r0)\n( 2/10) Purging held (1.0-r0)\n(10/10) Installing pcre2 (10.46-r0)\nrc 0\n',
    );
    const { installs, removes, installed } = apk.parseSimulation(sections);
    assert.deepEqual(
      installs.map(({ name, from, to }) => [name, from, to]),
      [
        ['edgetool', '8.9-r0', '9.0-r0'],
        ['pcre2', null, '10.46-r0'],
      ],
    );
    assert.deepEqual(
      removes.map(({ name, version }) => [name, version]),
      [['held', '1.0-r0']],
    );
    assert.equal(installed['apk/badpost:x86_64']?.state, 'broken');
  });

  test('has nothing go in where apk cannot select packages', () => {
    const { installs, errors } = apk.parseSimulation(written('blocked'));
    assert.deepEqual([installs, errors.length], [[], 1]);
  });
});
