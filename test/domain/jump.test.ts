import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Connection } from '../../src/domain/host.ts';
import { jumpsOf, reachedThrough } from '../../src/domain/jump.ts';

const cases: readonly [sshArguments: readonly string[], jumps: readonly string[]][] = [
  [[], []],
  [['-J', 'gate'], ['gate']],
  [['-Jgate'], ['gate']],
  [
    ['-J', 'me@one:2222,two'],
    ['one', 'two'],
  ],
  [['-J', 'ssh://me@[fe80::1]:22'], ['fe80::1']],
  [['-J', 'fe80::1'], ['fe80::1']],
  [['-o', 'ProxyJump=gate'], ['gate']],
  [['-oProxyJump gate'], ['gate']],
  [['-o', 'proxyjump = "gate"'], ['gate']],
  [['-o', 'ProxyJump=none'], []],
  [['-o', 'ServerAliveInterval=5', '-v'], []],
  [['-o', 'ProxyCommand=ssh -W %h:%p -q me@gate'], ['gate']],
  [['-o', 'ProxyCommand=/usr/bin/ssh -p 2222 -W %h:%p gate'], ['gate']],
  [
    ['-o', 'ProxyCommand=ssh -J first -W %h:%p second'],
    ['first', 'second'],
  ],
  [['-o', 'ProxyCommand=nc %h %p'], []],
];

describe('jump hosts', () => {
  for (const [sshArguments, jumps] of cases) {
    test(`of ${JSON.stringify(sshArguments)} are ${jumps.join(', ') || 'none'}`, () => {
      assert.deepEqual(jumpsOf(sshArguments), jumps);
    });
  }

  const host = (
    name: string,
    address: string,
    ...sshArguments: string[]
  ): { name: string; connection: Connection } => ({
    name,
    connection: {
      transport: 'ssh',
      address,
      sshArguments,
      hostKeyPolicy: 'strict',
      limits: { connectMs: 1, handshakeMs: 1, authMs: 1, idleMs: 1 },
    },
  });

  test('are found by inventory name and by address', () => {
    const hosts = [host('gate', '192.0.2.1'), host('a', 'a', '-J', 'gate'), host('b', 'b', '-J', 'me@192.0.2.1:22')];
    assert.deepEqual(
      [...reachedThrough(hosts)],
      [
        ['a', ['gate']],
        ['b', ['gate']],
      ],
    );
  });

  test('outside the inventory and a host that names itself count for nothing', () => {
    assert.deepEqual([...reachedThrough([host('a', 'a', '-J', 'elsewhere'), host('b', 'b', '-J', 'b')])], []);
  });

  test('named by the ssh configuration count too', () => {
    const hosts = [host('gate', 'gate'), host('a', 'a')];
    assert.deepEqual([...reachedThrough(hosts, (name) => (name === 'a' ? ['gate'] : []))], [['a', ['gate']]]);
  });
});
