// Packets that wake a host, as they arrive on a socket of our own on loopback.
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Inventory } from '../../src/domain/scan.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { scan, scanned, StandingClock, started } from '../ledger/fixtures.ts';
import { Rig } from './rig.ts';

async function listen(): Promise<{ readonly socket: Socket; readonly port: number; readonly packets: string[] }> {
  const socket = createSocket('udp4');
  const packets: string[] = [];
  socket.on('message', (bytes) => packets.push(bytes.toString('hex')));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { socket, port: socket.address().port, packets };
}

const address = 'patch_wake_address: 127.0.0.1';

test('each host is woken by its variable, or by the adapters of its last scan, and one without is reported', async () => {
  await using rig = await Rig.make();
  const { socket, port, packets } = await listen();
  const lines = [
    `    a: { ${address}, patch_mac: '52-54-00-AA-BB-CC' }`,
    `    b: { ${address} }`,
    `    c: { ${address} }`,
  ];
  await rig.write('inventory.yaml', `all:\n  hosts:\n${lines.join('\n')}\n`);
  const adapters = [{ name: 'virtio', mac: '52:54:00:01:02:03', addresses: ['192.0.2.17'] }];
  const inventory: Inventory = { processors: [], adapters, products: {}, updatePolicy: {} };
  {
    await using ledger = await openLedger({ path: rig.path('ledger.db'), clock: new StandingClock() });
    await ledger.append([
      started('01A', { kind: 'scan' }),
      scanned({ run: '01A', host: 'b', hostId: 'b' }, scan([], { inventory })),
    ]);
  }
  const ended = await rig.run(['wake', 'all', '--port', String(port), '--json']);
  socket.close();
  assert.equal(ended.code, 4, ended.stderr);
  const { hosts } = JSON.parse(ended.stdout) as {
    hosts: { host: string; macs: string[]; error: { message: string } | null }[];
  };
  assert.deepEqual(
    hosts.map(({ host, macs }) => [host, macs]),
    [
      ['a', ['525400aabbcc']],
      ['b', ['525400010203']],
      ['c', []],
    ],
  );
  assert.match(hosts[2]?.error?.message ?? '', /no hardware address of c is known/);
  const packet = (mac: string): string => 'f'.repeat(12) + mac.repeat(16);
  assert.deepEqual(
    packets,
    ['525400aabbcc', '525400010203'].flatMap((mac) => Array.from({ length: 3 }, () => packet(mac))),
  );
});

test('an invalid address is reported at its place', async () => {
  await using rig = await Rig.make();
  await rig.write(
    'inventory.yaml',
    "all:\n  hosts:\n    a: { patch_mac: '52:54:00' }\n    b: { patch_wake_address: here }\n",
  );
  const { code, stderr } = await rig.run(['wake', 'all']);
  assert.equal(code, 2);
  assert.match(stderr, /inventory\.yaml:3:\d+[\s\S]*is not a hardware address/);
  assert.match(stderr, /inventory\.yaml:4:\d+[\s\S]*must be an IPv4 address/);
});
