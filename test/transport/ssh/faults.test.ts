import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { asFettleError } from '../../../src/domain/error.ts';
import type { Connection, ConnectionLimits } from '../../../src/domain/host.ts';
import { openTransports } from '../../../src/transport/registry.ts';
import type { Session } from '../../../src/transport/session.ts';
import { openSocket } from '../../../src/transport/ssh/connect.ts';
import { rejectsWith } from '../../contract/session.ts';
import { FakeSshd } from '../../support/fake-sshd.ts';
import { Relay } from '../../support/relay.ts';
import { freePort, isolatedArguments, loginName, noSshd, sshHost, Sshd } from '../../support/sshd.ts';

const limits: ConnectionLimits = { connectMs: 10_000, handshakeMs: 10_000, authMs: 10_000, idleMs: 20_000 };

async function open(overrides: Partial<Connection>, signal?: AbortSignal): Promise<Session> {
  await using transports = openTransports({ env: process.env, homeDir: '/nonexistent', userName: loginName });
  const connection = { sshArguments: isolatedArguments('none'), hostKeyPolicy: 'off', limits, ...overrides } as const;
  const transport = transports.get('ssh');
  assert.ok(transport !== undefined);
  return await transport.open(sshHost('web01', connection), signal === undefined ? {} : { signal });
}

/** A server on loopback that does one thing with each connection. */
async function withServer(greet: (socket: Socket) => void, work: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.resume();
    greet(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
}

describe('a host that does not do what sshd does', () => {
  test('no listener: the connection is refused', async () => {
    await rejectsWith(open({ port: await freePort() }), 'connect', /127\.0\.0\.1 port \d+ refuses the connection/);
  });

  test('a name that no name server can have is distinguished from a host that is down', async () => {
    // Longer than a label may be, RFC 1035 2.3.4: refused before anything is asked.
    const address = `${'x'.repeat(70)}.invalid`;
    await rejectsWith(open({ address }), 'connect', /cannot be resolved/);
  });

  test('it accepts the connection and sends nothing', async () => {
    await withServer(
      () => undefined,
      async (port) => {
        const opening = open({ port, limits: { ...limits, handshakeMs: 80 } });
        await rejectsWith(
          opening,
          'timeout',
          /accepted the connection but sent nothing within 0\.08 s \(handshake limit\)/,
        );
      },
    );
  });

  test('it is a web server', async () => {
    await withServer(
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      async (port) => rejectsWith(open({ port }), 'connect', /the SSH handshake with 127\.0\.0\.1 failed/),
    );
  });

  test('it floods bytes that are no SSH', async () => {
    await withServer(
      (socket) => {
        const flood = (): void => {
          while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 'x')));
        };
        socket.on('drain', flood);
        flood();
      },
      async (port) => {
        const opening = open({ port, limits: { ...limits, handshakeMs: 2_000 } });
        await rejectsWith(opening, 'connect', /the SSH handshake with 127\.0\.0\.1 failed/);
      },
    );
  });

  test('it resets the connection at once', async () => {
    await withServer(
      (socket) => socket.resetAndDestroy(),
      async (port) => rejectsWith(open({ port }), 'connect', /reset|handshake/),
    );
  });

  test('it hangs in the authentication', async () => {
    await using fake = await FakeSshd.start(() => 'hang');
    const opening = open({ port: fake.port, limits: { ...limits, authMs: 80 } });
    await rejectsWith(opening, 'timeout', /did not finish the authentication within 0\.08 s \(authentication limit\)/);
  });

  test('it hangs up in the authentication', async () => {
    await using fake = await FakeSshd.start(() => 'disconnect');
    await rejectsWith(open({ port: fake.port }), 'auth', /refuses the login of \S+: it closed the connection/);
  });

  test('a full queue of connections runs into the connect limit', async () => {
    const script =
      "const s=require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},()=>console.log(s.address().port))";
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    const fillers: Socket[] = [];
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const port = Number(line.toString());
      child.kill('SIGSTOP');
      for (let count = 0; count < 8; count += 1) fillers.push(connect(port, '127.0.0.1').on('error', () => undefined));
      const opening = openSocket({ host: '127.0.0.1', port, family: 0 }, { ms: 300, signal: undefined });
      await rejectsWith(opening, 'timeout', /did not answer within 0\.3 s \(connect limit\)/);
    } finally {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
      await once(child, 'close');
    }
  });

  test('cancelling ends the wait for a handshake, and one cancelled before connects nowhere', async () => {
    let connections = 0;
    await withServer(
      () => {
        connections += 1;
      },
      async (port) => {
        const controller = new AbortController();
        const opening = open({ port }, controller.signal);
        while (connections === 0) await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
        await rejectsWith(opening, 'cancelled', /was cancelled/);
        await rejectsWith(open({ port }, AbortSignal.abort()), 'cancelled', /was cancelled/);
        assert.equal(connections, 1);
      },
    );
  });
});

describe('a connection that fails under way', { skip: noSshd }, () => {
  async function relayed(
    work: (relay: Relay, connect: (overrides?: Partial<Connection>) => Promise<Session>) => Promise<void>,
  ): Promise<void> {
    await using sshd = await Sshd.start();
    await using relay = await Relay.to(sshd.port);
    const user = { user: loginName, privateKeyFile: sshd.clientKey.file };
    await work(relay, (overrides = {}) => open({ ...user, port: relay.port, ...overrides }));
  }

  test('a key exchange that stalls is distinguished from a host that sends nothing', async () => {
    await relayed(async (relay, connectTo) => {
      relay.mode = { passBytes: 100 };
      const opening = connectTo({ limits: { ...limits, handshakeMs: 200 } });
      await rejectsWith(opening, 'timeout', /did not finish the handshake within 0\.2 s \(handshake limit\)/);
    });
  });

  test('packets that are dropped make the connection lost after the idle limit', async () => {
    await relayed(async (relay, connectTo) => {
      await using session = await connectTo({ limits: { ...limits, idleMs: 400 } });
      const running = session.exec({
        command: 'echo here; sleep 3',
        onStdout: () => {
          relay.mode = 'drop';
        },
      });
      await rejectsWith(running, 'lost', /it sent nothing for 0\.4 s \(idle limit\)/);
      assert.equal(session.isAlive, false);
    });
  });

  test('a command that is silent for longer than the idle limit is not lost', async () => {
    await relayed(async (_relay, connectTo) => {
      await using session = await connectTo({ limits: { ...limits, idleMs: 400 } });
      const result = await session.exec({ command: 'sleep 1.5; echo done' });
      assert.equal(result.stdout.toString(), 'done\n');
    });
  });

  test('a reset in the middle of the output makes the command lost', async () => {
    await relayed(async (relay, connectTo) => {
      await using session = await connectTo();
      const running = session.exec({ command: 'cat /dev/zero', outputLimitBytes: 10, onStdout: () => relay.reset() });
      await rejectsWith(running, 'lost', /the connection to web01 is lost/);
    });
  });
});

test('the error of a host contains the address that its message names, as ssh_config has it', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'fettle-address-'));
  const file = join(dir.path, 'ssh_config');
  await writeFile(file, 'Host web01\n  HostName 127.0.0.2\n  Port 1\n');
  await using transports = openTransports({ env: process.env, homeDir: '/nonexistent', userName: 'root' });
  const host = sshHost('web01', { address: 'web01', sshArguments: ['-F', file] });
  const error = await transports
    .get('ssh')
    ?.open(host, {})
    .then(
      () => undefined,
      (thrown: unknown) => asFettleError(thrown),
    );
  assert.match(error?.message ?? '', /127\.0\.0\.2 port 1/);
  assert.equal(error?.details?.['address'], '127.0.0.2');
});
