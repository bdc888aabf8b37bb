import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Connection, Host } from '../../../src/domain/host.ts';
import { openTransports, type Transports } from '../../../src/transport/registry.ts';
import type { Session } from '../../../src/transport/session.ts';
import { rejectsWith } from '../../contract/session.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeSshd } from '../../support/fake-sshd.ts';
import { Relay } from '../../support/relay.ts';
import { freePort, loginName, noSshd, Sshd } from '../../support/sshd.ts';

/** A jump host behind a relay that counts, and a host behind it; one key opens both. */
class Behind implements AsyncDisposable {
  readonly target: Sshd;
  readonly jump: Sshd;
  readonly relay: Relay;
  readonly transports: Transports;
  readonly #stack: AsyncDisposableStack;

  private constructor(made: { target: Sshd; jump: Sshd; relay: Relay; stack: AsyncDisposableStack }) {
    this.target = made.target;
    this.jump = made.jump;
    this.relay = made.relay;
    this.#stack = made.stack;
    const environment = { env: process.env, homeDir: '/nonexistent', userName: loginName };
    this.transports = made.stack.use(openTransports(environment));
  }

  static async start(jumpConfig: readonly string[] = []): Promise<Behind> {
    const stack = new AsyncDisposableStack();
    const target = stack.use(await Sshd.start());
    const jump = stack.use(await Sshd.start({ config: jumpConfig }));
    const relay = stack.use(await Relay.to(jump.port));
    appendFileSync(join(jump.dir, 'authorized'), `${target.clientKey.publicLine}\n`);
    return new Behind({ target, jump, relay, stack });
  }

  get hop(): string {
    return `${loginName}@127.0.0.1:${this.relay.port}`;
  }

  /** Knows the keys of both, of the jump host by the relay's port too. */
  knownHosts(): string {
    const [jumpKey = '', targetKey = ''] = [this.jump, this.target].map((sshd) => sshd.hostKeys[0]?.publicLine ?? '');
    return this.target.knownHosts('both', [
      `[127.0.0.1]:${this.relay.port} ${jumpKey}`,
      `[127.0.0.1]:${this.jump.port} ${jumpKey}`,
      `[127.0.0.1]:${this.target.port} ${targetKey}`,
    ]);
  }

  host(name: string, overrides: Partial<Connection> = {}, extra: readonly string[] = ['-J', this.hop]): Host {
    const sshArguments = [...this.target.arguments(this.knownHosts()), ...extra];
    return this.target.host(name, { sshArguments, ...overrides });
  }

  open(host: Host, signal?: AbortSignal): Promise<Session> {
    const transport = this.transports.get('ssh');
    assert.ok(transport !== undefined);
    return transport.open(host, signal === undefined ? {} : { signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

async function says(session: Session): Promise<string> {
  return (await session.exec({ command: 'echo hello' })).stdout.toString();
}

describe('jump hosts', { skip: noSshd }, () => {
  test('hosts behind one jump host share one connection to it, and the last one closes it', async () => {
    await using behind = await Behind.start();
    const names = Array.from({ length: 15 }, (_, index) => `web${index}`);
    const sessions = await Promise.all(names.map((name) => behind.open(behind.host(name))));
    assert.deepEqual(new Set(await Promise.all(sessions.map(says))), new Set(['hello\n']));
    assert.equal(behind.relay.connections, 1);
    const [kept, ...others] = sessions;
    assert.ok(kept !== undefined);
    for (const session of others) await session[Symbol.asyncDispose]();
    assert.equal(await says(kept), 'hello\n');
    await kept[Symbol.asyncDispose]();
    await eventually(() => behind.relay.open === 0, 'the connection to the jump host is closed');
    await using again = await behind.open(behind.host('again'));
    assert.equal(await says(again), 'hello\n');
    assert.equal(behind.relay.connections, 2);
  });

  test('two connections prove one end only by the same address, port, way and host key', async () => {
    await using behind = await Behind.start();
    const { target } = behind;
    await using direct = await behind.open(target.host('web01'));
    const byName = target.arguments(
      target.knownHosts('by-name', [`[localhost]:${target.port} ${target.hostKeys[0]?.publicLine ?? ''}`]),
    );
    const localhost = target.host('alias', {
      address: 'localhost',
      sshArguments: [...byName, '-o', 'AddressFamily=inet'],
    });
    await using alias = await behind.open(localhost);
    assert.ok(direct.endpoint !== undefined);
    assert.equal(alias.endpoint, direct.endpoint, 'the name is resolved');
    await using jumped = await behind.open(behind.host('jumped'));
    await using twin = await behind.open(behind.host('twin'));
    assert.equal(twin.endpoint, jumped.endpoint);
    assert.notEqual(jumped.endpoint, direct.endpoint, 'behind a jump host the address is another network’s');
    await using relay = await Relay.to(target.port);
    const relayKeys = target.knownHosts('relayed', [
      `[127.0.0.1]:${relay.port} ${target.hostKeys[0]?.publicLine ?? ''}`,
    ]);
    const relayed = target.host('relayed', { port: relay.port, sshArguments: target.arguments(relayKeys) });
    await using elsewhere = await behind.open(relayed);
    assert.notEqual(elsewhere.endpoint, direct.endpoint, 'the key alone is no proof: clones share it');
  });

  test('several hops are gone through in order', async () => {
    await using behind = await Behind.start();
    const chain = `${behind.hop},${loginName}@127.0.0.1:${behind.jump.port}`;
    await using session = await behind.open(behind.host('far', {}, ['-o', `ProxyJump=${chain}`]));
    assert.equal(await says(session), 'hello\n');
    assert.equal(behind.relay.connections, 1);
    assert.match(behind.jump.log, /Accepted publickey[\s\S]*Accepted publickey/);
  });

  test('the jump host’s own key is checked', async () => {
    await using behind = await Behind.start();
    const [key = ''] = behind.target.hostKeys.map(({ publicLine }) => publicLine);
    const known = behind.target.knownHosts('target-only', [`[127.0.0.1]:${behind.target.port} ${key}`]);
    const sshArguments = [...behind.target.arguments(known), '-J', behind.hop];
    const opening = behind.open(behind.host('web01', { sshArguments }));
    await rejectsWith(opening, 'host-key', new RegExp(`jump host ${behind.hop}: .*its host key is not known`));
  });

  test('the password of the host does not reach the jump host, and a refusal there names it', async () => {
    await using fake = await FakeSshd.start(() => ({ refuse: ['password'] }));
    await using behind = await Behind.start();
    const hop = `${loginName}@127.0.0.1:${fake.port}`;
    const host = behind.host('web01', { hostKeyPolicy: 'off' }, ['-J', hop]);
    await rejectsWith(behind.open(host), 'auth', new RegExp(`jump host ${hop}: .*refuses the login of`));
    assert.ok(fake.attempts.every(({ password }) => password === undefined));
  });

  test('a host that the jump host cannot reach, or may not, is unreachable in its words', async () => {
    await using behind = await Behind.start();
    const opening = behind.open(behind.host('web01', { port: await freePort() }));
    await rejectsWith(opening, 'connect', /the jump host \S+ cannot reach 127\.0\.0\.1 port \d+: .*refused/i);
    await using closed = await Behind.start(['AllowTcpForwarding no']);
    await rejectsWith(closed.open(closed.host('web01')), 'connect', /the jump host \S+ refuses to forward to/);
    await eventually(() => closed.relay.open === 0 && behind.relay.open === 0, 'no connection is kept for nobody');
  });

  test('a jump host that is down is a connect error that names it', async () => {
    await using behind = await Behind.start();
    const hop = `${loginName}@127.0.0.1:${await freePort()}`;
    const opening = behind.open(behind.host('web01', {}, ['-J', hop]));
    await rejectsWith(opening, 'connect', /jump host \S+: .*refuses the connection/);
  });

  test('when the jump host goes, every session through it is lost, and the next one connects anew', async () => {
    await using behind = await Behind.start();
    const sessions = await Promise.all(['web01', 'web02'].map((name) => behind.open(behind.host(name))));
    const running = sessions.map((session) => session.exec({ command: 'sleep 5' }));
    const ends = running.map((work) => rejectsWith(work, 'lost', /the connection to web0\d is lost/));
    behind.relay.reset();
    await Promise.all(ends);
    await using again = await behind.open(behind.host('web01'));
    assert.equal(await says(again), 'hello\n');
    for (const session of sessions) await session[Symbol.asyncDispose]();
    assert.equal(await says(again), 'hello\n');
  });

  test('one host that gives up does not take the jump connection from the others', async () => {
    await using behind = await Behind.start();
    const controller = new AbortController();
    const leaving = behind.open(behind.host('web01'), controller.signal);
    const staying = behind.open(behind.host('web02'));
    controller.abort();
    await rejectsWith(leaving, 'cancelled', /was cancelled/);
    await using session = await staying;
    assert.equal(await says(session), 'hello\n');
  });

  test('jump hosts that are reached through each other are a config error, for all who ask at once', async () => {
    await using behind = await Behind.start();
    const file = behind.target.knownHosts('looping', ['Host a', '  ProxyJump b', 'Host b', '  ProxyJump a']);
    const sshArguments = ['-F', file, ...behind.target.arguments(behind.knownHosts()).slice(2)];
    const ways = ['a', 'b'].map((jump) =>
      behind.open(behind.host(`via-${jump}`, { sshArguments: [...sshArguments, '-J', jump] })),
    );
    await Promise.all(ways.map((way) => rejectsWith(way, 'config', /the route to \S+ leads through the host itself/)));
  });

  test('a jump host that is itself reached through another by its own configuration is', async () => {
    await using behind = await Behind.start();
    const inner = [`Host inner`, '  HostName 127.0.0.1', `  Port ${behind.jump.port}`, `  ProxyJump ${behind.hop}`];
    const file = behind.target.knownHosts('nested', [...inner, `  IdentityFile ${behind.target.clientKey.file}`]);
    const sshArguments = ['-F', file, ...behind.target.arguments(behind.knownHosts()).slice(2), '-J', 'inner'];
    await using session = await behind.open(behind.host('web01', { sshArguments }));
    assert.equal(await says(session), 'hello\n');
    assert.equal(behind.relay.connections, 1);
  });
});

describe('proxy commands', { skip: noSshd }, () => {
  test('the connection goes over the command’s input and output', async () => {
    await using behind = await Behind.start();
    const ssh = ['ssh', '-F', 'none', '-i', behind.target.clientKey.file, '-p', String(behind.jump.port)];
    const options = ['-o', `UserKnownHostsFile=${behind.knownHosts()}`, '-W', '%h:%p', `${loginName}@127.0.0.1`];
    const proxy = `ProxyCommand=${[...ssh, ...options].join(' ')}`;
    await using session = await behind.open(behind.host('web01', {}, ['-o', proxy]));
    assert.equal(await says(session), 'hello\n');
    assert.match(behind.jump.log, /Accepted publickey/);
  });

  test('what a failing command complains about is in the error', async () => {
    await using behind = await Behind.start();
    const proxy = 'ProxyCommand=sh -c "echo no way through >&2; exit 1"';
    const opening = behind.open(behind.host('web01', {}, ['-o', proxy]));
    await rejectsWith(opening, 'connect', /output of the proxy command: no way through/);
  });
});
