import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { Connection } from '../../../src/domain/host.ts';
import { openTransports } from '../../../src/transport/registry.ts';
import { eventually } from '../../support/eventually.ts';
import { isolatedArguments, loginName, noSshd, sshHost, Sshd } from '../../support/sshd.ts';

const environment = { env: process.env, homeDir: '/nonexistent', userName: loginName };

describe('the handshake', { skip: noSshd }, () => {
  for (const [what, banner] of [
    ['send nothing', ''],
    ['send only their version', 'SSH-2.0-OpenSSH_9.2p1\r\n'],
  ] as const) {
    test(`a host is reached although many others accept the connection and ${what}`, () => isReachedBeside(banner));
  }

  async function isReachedBeside(banner: string): Promise<void> {
    await using transports = openTransports(environment);
    const transport = transports.get('ssh');
    assert.ok(transport !== undefined);
    const silent = new Set<Socket>();
    const server = createServer((socket) => {
      silent.add(socket.on('error', () => undefined));
      socket.write(banner);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const limits = { connectMs: 60_000, handshakeMs: 60_000, authMs: 20_000, idleMs: 20_000 };
    const settings: Partial<Connection> = {
      port,
      limits,
      hostKeyPolicy: 'off',
      sshArguments: isolatedArguments('none'),
    };
    const cancel = new AbortController();
    let ended = 0;
    const waiting = Array.from({ length: 40 }, (_, index) =>
      transport.open(sshHost(`silent${index}`, settings), { signal: cancel.signal }).then(
        () => undefined,
        () => (ended += 1),
      ),
    );
    try {
      await eventually(() => silent.size === 40, 'all silent hosts have taken their connection');
      await using sshd = await Sshd.start();
      await using session = await transport.open(sshd.host('good'), {});
      assert.equal((await session.exec({ command: 'echo hello' })).stdout.toString(), 'hello\n');
      assert.equal(ended, 0, 'no silent host had to run into its limit first');
    } finally {
      cancel.abort();
      await Promise.all(waiting);
      for (const socket of silent) socket.destroy();
      server.close();
    }
  }

  test('keys are exchanged anew in the middle of the output, as often as sshd asks', async () => {
    await using sshd = await Sshd.start({ config: ['RekeyLimit 16K'] });
    await using transports = openTransports(environment);
    const transport = transports.get('ssh');
    assert.ok(transport !== undefined);
    await using session = await transport.open(sshd.host('web01'), {});
    const { stdout } = await session.exec({ command: 'yes abcdefgh | head -c 3000000' });
    assert.equal(stdout.length, 3_000_000);
    assert.ok(stdout.equals(Buffer.from('abcdefgh\n'.repeat(333_334)).subarray(0, 3_000_000)));
  });
});
