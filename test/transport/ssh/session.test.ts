import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openTransports, type Transports } from '../../../src/transport/registry.ts';
import type { Session } from '../../../src/transport/session.ts';
import { rejectsWith, sessionContract } from '../../contract/session.ts';
import { Relay } from '../../support/relay.ts';
import { loginName, noSshd, Sshd } from '../../support/sshd.ts';

const environment = { env: process.env, homeDir: '/nonexistent', userName: loginName };

function ssh(transports: Transports) {
  const transport = transports.get('ssh');
  assert.ok(transport !== undefined);
  return transport;
}

let sshd: Sshd | undefined;
before(async () => {
  if (noSshd === false) sshd = await Sshd.start({ config: ['MaxSessions 10'] });
});
after(() => sshd?.[Symbol.asyncDispose]());

function running(): Sshd {
  assert.ok(sshd !== undefined);
  return sshd;
}

sessionContract('ssh', {
  skip: noSshd,
  rig: async () => {
    const stack = new AsyncDisposableStack();
    const relay = stack.use(await Relay.to(running().port));
    const transports = stack.use(openTransports(environment));
    const known = running().knownHosts('relayed', [
      `[127.0.0.1]:${relay.port} ${running().hostKeys[0]?.publicLine ?? ''}`,
    ]);
    const overrides = { port: relay.port, sshArguments: running().arguments(known) };
    const session = stack.use(await ssh(transports).open(running().host('web01', overrides), {}));
    return { session, cut: () => relay.reset(), [Symbol.asyncDispose]: () => stack.disposeAsync() };
  },
});

describe('an ssh session', { skip: noSshd }, () => {
  async function open(config: readonly string[], work: (session: Session) => Promise<void>): Promise<void> {
    await using own = await Sshd.start({ config });
    await using transports = openTransports(environment);
    await using session = await ssh(transports).open(own.host('web01'), {});
    await work(session);
  }

  test('a host that allows no command at all refuses it as connect, with that reason', async () => {
    await open(['MaxSessions 0'], async (session) => {
      await rejectsWith(session.exec({ command: 'true' }), 'connect', /web01 refuses to run a command/);
      assert.equal(session.isAlive, true);
    });
  });

  test('an account whose shell is nologin is an auth error in its own words', async () => {
    const nologin = 'ForceCommand echo "This account is currently not available."; exit 1';
    await open([nologin], async (session) => {
      await rejectsWith(
        session.exec({ command: 'true' }),
        'auth',
        /is not allowed to run commands: This account is currently/,
      );
    });
  });

  test('text that only resembles nologin in a longer answer is a result', async () => {
    await open([], async (session) => {
      const command = 'echo "x: This account is currently not available."; exit 1';
      assert.equal((await session.exec({ command })).exitCode, 1);
    });
  });
});
