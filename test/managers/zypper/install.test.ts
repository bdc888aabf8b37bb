import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zypper } from '../../../src/managers/zypper/zypper.ts';
import { captured, summaryOf } from './rig.ts';

describe('a simulation with zypper', () => {
  const simulation = zypper.parseSimulation(captured('simulate'));

  test('is exactly what goes in, the version of the patch and not the newest', () => {
    assert.deepEqual(
      simulation.installs.map(({ name, slot, from, to }) => [name, slot, from, to]),
      [
        ['alpha', undefined, '1.0-1.el9', '1.1-1.el9'],
        ['gamma', undefined, '1.0-1.el9', '1.0^git1-1.el9'],
        ['needsnew', undefined, '1.0-1.el9', '1.1-1.el9'],
        ['kernel-core', '5.14.0-503.14.1.el9', '5.14.0-503.11.1.el9', '5.14.0-503.14.1.el9'],
        ['newdep', undefined, null, '1.1-1.el9'],
      ],
    );
    assert.deepEqual([simulation.removes, simulation.errors], [[], []]);
    assert.ok(simulation.downloadBytes > 30_000);
    assert.deepEqual(simulation.installs[0]?.origins, ['updates']);
  });

  test('says where each asked package stands, a kernel by the newest that is there', () => {
    const { installed } = simulation;
    assert.deepEqual(installed['zypper/alpha:noarch'], { version: '1.0-1.el9', state: 'installed' });
    assert.equal(installed['zypper/kernel-core:noarch=5.14.0-503.14.1.el9']?.version, '5.14.0-503.11.1.el9');
    assert.deepEqual([installed['zypper/newdep:noarch'], installed['zypper/nothere:noarch']], [null, null]);
  });

  test('lists what is on offer, newest first', () => {
    assert.deepEqual(
      simulation.available['alpha:noarch']?.map(({ version }) => version),
      ['1.2-1.el9', '1.1-1.el9', '1.0-1.el9'],
    );
    assert.equal(simulation.available['nothere:noarch'], undefined);
  });

  const stepped = (step: string) => {
    const sections = captured('simulate');
    sections.set('zypper-step', step);
    return zypper.parseSimulation(sections);
  };
  const alpha = { name: 'alpha', arch: 'noarch', to: '1.1-1.el9' };
  const oldtool = { name: 'oldtool', arch: 'noarch', to: '1.0-1.el9' };

  test('finds what would be removed, and takes it for nothing that goes in', () => {
    const { installs, removes } = stepped(summaryOf({ 'to-upgrade': [alpha], 'to-remove': [oldtool] }));
    assert.deepEqual(
      installs.map(({ name }) => name),
      ['alpha'],
    );
    assert.deepEqual(removes, [{ manager: 'zypper', name: 'oldtool', arch: 'noarch', version: '1.0-1.el9' }]);
  });

  test('finds a downgrade and a change of architecture among what would happen', () => {
    const { installs } = stepped(
      summaryOf({ 'to-downgrade': [{ ...alpha, to: '0.9-1' }], 'to-change-arch': [{ ...alpha, arch: 'x86_64' }] }),
    );
    assert.deepEqual(
      installs.map(({ arch, to }) => [arch, to]),
      [
        ['noarch', '0.9-1'],
        ['x86_64', '1.1-1.el9'],
      ],
    );
  });

  test('is nothing, with the reason, where the solver finds no way', () => {
    const { installs, errors } = stepped(
      '<?xml version="1.0"?>\n<stream>\n<prompt id="1">\n<description>Problem: nothing provides nowhere needed by broken-1.1-1.el9.noarch\n Solution 1: do not install broken-1.1-1.el9.noarch\n</description>\n</prompt>\n</stream>\n<!-- exit 4 -->\n',
    );
    assert.deepEqual([installs, errors], [[], ['Problem: nothing provides nowhere needed by broken-1.1-1.el9.noarch']]);
  });

  test('takes 102, which means that a reboot is advised, for an answer', () => {
    const { installs } = stepped(summaryOf({ 'to-upgrade': [alpha] }).replace('exit 0', 'exit 102'));
    assert.equal(installs.length, 1);
  });
});
