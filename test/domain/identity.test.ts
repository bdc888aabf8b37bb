import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MachineFacts, NamedMachine } from '../../src/domain/identity.ts';
import { judgeIdentities } from '../../src/domain/identity.ts';

const machine = (host: string, facts: MachineFacts, endpoint = '192.0.2.1:22 key'): NamedMachine => ({
  host,
  facts,
  endpoint,
});

describe('two names', () => {
  test('are one machine when ids, address and host key match: the first stands for both', () => {
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
    assert.match(warnings[0] ?? '', /same machine id m: a, b/);
  });

  test('without a machine id or a boot id are never taken for one', () => {
    const without = judgeIdentities([machine('a', { bootId: 'b' }), machine('b', { bootId: 'b' })]);
    assert.deepEqual(without.duplicates, []);
    const bootless = judgeIdentities([machine('a', { machineId: 'm' }), machine('b', { machineId: 'm' })]);
    assert.deepEqual(bootless.duplicates, []);
    assert.equal(bootless.warnings.length, 1);
  });

  test('of containers share their kernel and are distinguished by host name', () => {
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

  test('that claim to be one machine are two where the connections do not prove it', () => {
    const facts = { machineId: 'm', bootId: 'b' };
    const elsewhere: readonly (string | undefined)[] = ['192.0.2.2:22 key', '192.0.2.1:22 other-key', undefined];
    for (const endpoint of elsewhere) {
      const other: NamedMachine = { host: 'b', facts, ...(endpoint === undefined ? {} : { endpoint }) };
      for (const both of [
        [machine('a', facts), other],
        [other, machine('a', facts)],
      ]) {
        const { duplicates, warnings } = judgeIdentities(both);
        assert.deepEqual(duplicates, []);
        assert.match(warnings[0] ?? '', /not proven to be one machine and are patched each/);
      }
    }
    const unproven = judgeIdentities(['a', 'b'].map((host) => ({ host, facts })));
    assert.deepEqual(unproven.duplicates, [], 'no proof on either side is no proof');
  });
});

describe('the controller', () => {
  const own = { machineId: 'm', bootId: 'b' };

  test('is the host that proved it', () => {
    const machines = [{ ...machine('a', own), isController: true }, machine('b', { machineId: 'n', bootId: 'b' })];
    assert.deepEqual(judgeIdentities(machines, own), { duplicates: [], controller: ['a'], warnings: [] });
  });

  test('is not a host that only claims it: there is a warning, and it goes with the others', () => {
    const { controller, warnings } = judgeIdentities([machine('a', own)], own);
    assert.deepEqual(controller, []);
    assert.match(warnings[0] ?? '', /^a has the machine id .* treated as any other host/);
    assert.deepEqual(judgeIdentities([machine('a', own)], {}).warnings, []);
  });
});
