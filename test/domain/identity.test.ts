import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MachineFacts, NamedMachine } from '../../src/domain/identity.ts';
import { judgeIdentities } from '../../src/domain/identity.ts';

const machine = (host: string, facts: MachineFacts): NamedMachine => ({ host, facts });

describe('two names', () => {
  test('are one machine when machine id and boot id match: the first stands for both', () => {
    const facts = { machineId: 'm', bootId: 'b' };
    const { duplicates, warnings } = judgeIdentities([machine('web', facts), machine('web-alias', facts)]);
    assert.deepEqual(
      duplicates.map(({ host, sameAs }) => [host, sameAs]),
      [['web-alias', 'web']],
    );
    assert.match(duplicates[0]?.reason ?? '', /same machine as web .* patched once/);
    assert.deepEqual(warnings, []);
  });

  test('of one machine id with different boot ids are clones: both are patched, with a warning', () => {
    const { duplicates, warnings } = judgeIdentities([
      machine('a', { machineId: 'm', bootId: 'b1' }),
      machine('b', { machineId: 'm', bootId: 'b2' }),
    ]);
    assert.deepEqual(duplicates, []);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /cloned machine id m: a, b/);
  });

  test('without a machine id or a boot id are never taken for one', () => {
    const without = judgeIdentities([machine('a', { bootId: 'b' }), machine('b', { bootId: 'b' })]);
    assert.deepEqual(without.duplicates, []);
    const bootless = judgeIdentities([machine('a', { machineId: 'm' }), machine('b', { machineId: 'm' })]);
    assert.deepEqual(bootless.duplicates, []);
    assert.equal(bootless.warnings.length, 1);
  });

  test('of containers share their kernel and are told apart by host name', () => {
    const facts = { machineId: 'm', bootId: 'b', isContainer: true };
    const apart = judgeIdentities([
      machine('a', { ...facts, hostName: 'a' }),
      machine('b', { ...facts, hostName: 'b' }),
    ]);
    assert.deepEqual(apart.duplicates, []);
    const same = judgeIdentities([
      machine('a', { ...facts, hostName: 'a' }),
      machine('b', { ...facts, hostName: 'a' }),
    ]);
    assert.equal(same.duplicates.length, 1);
  });

  test('a duplicate of one clone is not the other clone', () => {
    const { duplicates } = judgeIdentities([
      machine('a', { machineId: 'm', bootId: 'b1' }),
      machine('b', { machineId: 'm', bootId: 'b2' }),
      machine('b-alias', { machineId: 'm', bootId: 'b2' }),
    ]);
    assert.deepEqual(
      duplicates.map(({ host, sameAs }) => [host, sameAs]),
      [['b-alias', 'b']],
    );
  });
});

describe('the controller', () => {
  test('is the host with its machine id and boot id', () => {
    const machines = [machine('a', { machineId: 'm', bootId: 'b' }), machine('b', { machineId: 'n', bootId: 'b' })];
    assert.deepEqual(judgeIdentities(machines, { machineId: 'm', bootId: 'b' }).controller, ['a']);
  });

  test('is not a clone of it, and none when its own ids are not known', () => {
    const machines = [machine('a', { machineId: 'm', bootId: 'other' })];
    assert.deepEqual(judgeIdentities(machines, { machineId: 'm', bootId: 'b' }).controller, []);
    assert.deepEqual(judgeIdentities(machines, {}).controller, []);
    assert.deepEqual(judgeIdentities(machines).controller, []);
  });
});
