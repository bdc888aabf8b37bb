import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PlannedUpdate } from '../../../src/domain/plan.ts';
import { pacman } from '../../../src/managers/pacman/pacman.ts';
import { captured } from './rig.ts';

function planned(name: string, from: string | null, to: string, isKernel = false): PlannedUpdate {
  return {
    ...{ manager: 'pacman', name, arch: 'x86_64', from, to },
    ...{ class: 'unknown', origins: [], isKernel, reason: '', untried: false },
  };
}

describe('a simulation with pacman', () => {
  const simulation = pacman.parseSimulation(captured('simulate'));

  test('is the whole upgrade, whatever was asked for', () => {
    assert.equal(simulation.installs.length, 12);
    assert.deepEqual(
      simulation.installs.filter(({ name }) => ['mpv', 'newdep'].includes(name)),
      [
        {
          ...{ manager: 'pacman', name: 'mpv', arch: 'x86_64', from: '1:0.40.0-2', to: '1:0.40.0-4' },
          ...{ origins: ['extra'], sizeBytes: 668 },
        },
        {
          ...{ manager: 'pacman', name: 'newdep', arch: 'x86_64', from: null, to: '1.1-1', origins: ['core'] },
          sizeBytes: 663,
        },
      ],
    );
    assert.deepEqual([simulation.removes, simulation.errors], [[], []]);
    assert.equal(simulation.downloadBytes, 10370);
  });

  test('reports where each asked package stands, and what is on offer', () => {
    assert.deepEqual(simulation.installed['pacman/alpha:x86_64'], { version: '1.0-1', state: 'installed' });
    assert.deepEqual(simulation.available['held:x86_64'], [{ version: '1.1-1', origins: ['core'] }]);
  });

  test('names what would be replaced', () => {
    const { removes } = pacman.parseSimulation(captured('replacing'));
    assert.deepEqual(removes, [{ manager: 'pacman', name: 'pluginy', arch: 'x86_64', version: '1.0-1' }]);
  });

  test('has nothing go in where pacman cannot upgrade everything', () => {
    for (const name of ['blocked', 'conflicting']) {
      const { installs, errors } = pacman.parseSimulation(captured(name));
      assert.deepEqual([installs.length, errors.length], [0, 1], name);
    }
  });
});

describe('what an install with pacman reads back', () => {
  const lines = (...texts: readonly string[]): string =>
    texts.map((text) => `${text.split(' ').join('\tx86_64\t')}\tx\t1\t\t\t\n`).join('');
  const read = (
    installed: string,
    updates: readonly PlannedUpdate[],
    sections: Readonly<Record<string, string>> = {},
    attempted = updates,
  ) =>
    pacman
      .readInstall(
        { exitCode: 0, verdict: 'ok', sections: { 'pacman-installed': installed, ...sections } },
        updates,
        attempted,
      )
      .map(({ state, now, message }) => [state, now, message]);
  const alpha = planned('alpha', '1.0-1', '1.1-1');

  test('is the version in the database', () => {
    assert.deepEqual(read(lines('alpha 1.1-1'), [alpha]), [['installed', '1.1-1', undefined]]);
    assert.deepEqual(read(lines('alpha 1.1-1'), [alpha], {}, []), [['already', '1.1-1', undefined]]);
    assert.deepEqual(read(lines('alpha 1.0-1'), [alpha]), [['failed', '1.0-1', undefined]]);
    assert.deepEqual(read(lines('alpha 1.2-1'), [alpha], {}, []), [['superseded', '1.2-1', undefined]]);
    assert.deepEqual(read(lines('other 1.0-1'), [alpha]), [['removed', null, undefined]]);
    assert.deepEqual(read(lines('other 1-1'), [planned('newdep', null, '1-1')]), [['not-installed', null, undefined]]);
  });

  test('is found by name where the package has another architecture now', () => {
    assert.deepEqual(read('alpha\tany\t1.1-1\talpha\t1\t\t\t\n', [alpha]), [['installed', '1.1-1', undefined]]);
  });

  test('is broken where its entry is not whole, or its upgrade was cut off', () => {
    const torn = { 'pacman-torn': 'alpha\tx86_64\t1.1-1\n' };
    const detail = 'its entry in the database is not whole';
    assert.deepEqual(read(lines('other 1.0-1'), [alpha], torn), [['broken', '1.1-1', detail]]);
    assert.deepEqual(read(lines('alpha 1.0-1'), [alpha], torn), [['broken', '1.1-1', detail]]);
    assert.deepEqual(read(lines('alpha 1.1-1'), [alpha], { 'pacman-cut-off': 'alpha\n' }), [
      ['broken', '1.1-1', 'its upgrade was cut off before all scripts and hooks had run'],
    ]);
  });

  test('says that a script of a package failed, which pacman does not take for a failure', () => {
    assert.deepEqual(read(lines('alpha 1.1-1'), [alpha], { 'pacman-failing': 'alpha\n' }), [
      ['broken', '1.1-1', 'a script of the package failed'],
    ]);
  });
});
