import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PlannedUpdate } from '../../../src/domain/plan.ts';
import { dnf } from '../../../src/managers/dnf/dnf.ts';
import { captured } from './rig.ts';

function planned(name: string, from: string | null, to: string, slot?: string): PlannedUpdate {
  return {
    ...{ manager: 'dnf', name, arch: 'noarch', ...(slot === undefined ? {} : { slot }), from, to },
    ...{ class: 'other', origins: [], isKernel: false, reason: '', untried: false },
  };
}

const kernel = planned('kernel-core', '5.14.0-503.11.1.el9', '5.14.0-503.14.1.el9', '5.14.0-503.14.1.el9');

describe('a simulation with dnf', () => {
  const simulation = dnf.parseSimulation(captured('simulate'));

  test('is exactly what goes in, the advisory version and not the newest', () => {
    assert.deepEqual(
      simulation.installs.map(({ name, slot, from, to }) => [name, slot, from, to]),
      [
        ['kernel-core', '5.14.0-503.14.1.el9', '5.14.0-503.11.1.el9', '5.14.0-503.14.1.el9'],
        ['newdep', undefined, null, '1.1-1.el9'],
        ['alpha', undefined, '1.0-1.el9', '1.1-1.el9'],
        ['gamma', undefined, '1.0-1.el9', '1.0^git1-1.el9'],
        ['needsnew', undefined, '1.0-1.el9', '1.1-1.el9'],
      ],
    );
    assert.deepEqual(simulation.removes, []);
  });

  test('reports where each asked package stands, a kernel by the newest that is there', () => {
    const { installed } = simulation;
    assert.deepEqual(installed['dnf/alpha:noarch'], { version: '1.0-1.el9', state: 'installed' });
    assert.equal(installed['dnf/kernel-core:noarch=5.14.0-503.14.1.el9']?.version, '5.14.0-503.11.1.el9');
    assert.deepEqual([installed['dnf/newdep:noarch'], installed['dnf/alpha2:noarch']], [null, null]);
  });

  test('lists what is on offer, newest first', () => {
    assert.deepEqual(
      simulation.available['alpha:noarch']?.map(({ version }) => version),
      ['1.2-1.el9', '1.1-1.el9', '1.0-1.el9'],
    );
  });
});

describe('what an install with dnf reads back', () => {
  const lines = (...texts: readonly string[]): string =>
    texts.map((text) => `${text.split(' ').join('\tnoarch\t')}\tx-1-1.src.rpm\t1\n`).join('');
  const read = (installed: string, updates: readonly PlannedUpdate[], failing = '') =>
    dnf
      .readInstall(
        {
          exitCode: 0,
          verdict: 'ok',
          sections: { 'rpm-installed': installed, 'rpm-installonly': 'kernel-core\n', 'rpm-failing': failing },
        },
        updates,
        updates,
      )
      .map(({ state, now, message }) => [state, now, message]);

  test('is the version in the database', () => {
    const alpha = planned('alpha', '1.0-1', '1.1-1');
    assert.deepEqual(read(lines('alpha 1.1-1'), [alpha]), [['installed', '1.1-1', undefined]]);
    assert.deepEqual(read(lines('alpha 1.0-1'), [alpha]), [['failed', '1.0-1', undefined]]);
    assert.deepEqual(read(lines('other 1.0-1'), [alpha]), [['removed', null, undefined]]);
    assert.deepEqual(read(lines('alpha 1.0-1', 'alpha 1.1-1'), [alpha]), [['broken', '1.1-1', undefined]]);
    assert.deepEqual(read(lines('other 1-1'), [planned('newdep', null, '1-1')]), [['not-installed', null, undefined]]);
  });

  test('is a kernel of its own version beside the others', () => {
    const before = 'kernel-core 5.14.0-503.11.1.el9';
    assert.deepEqual(read(lines(before), [kernel]), [['failed', null, undefined]]);
    assert.deepEqual(read(lines(before, `kernel-core ${kernel.to}`), [kernel]), [['installed', kernel.to, undefined]]);
  });

  test('is broken where a script of the package failed, although rpm has the new version', () => {
    const failing = 'Error in POSTIN scriptlet in rpm package badpost';
    assert.deepEqual(read(lines('badpost 1.1-1'), [planned('badpost', '1.0-1', '1.1-1')], `${failing}\n`), [
      ['broken', '1.1-1', failing],
    ]);
  });
});
