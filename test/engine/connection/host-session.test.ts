import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import type { ErrorCode } from '../../../src/domain/error.ts';
import type { Host } from '../../../src/domain/host.ts';
import { HostSession } from '../../../src/engine/connection/host-session.ts';
import type { LinkPorts } from '../../../src/engine/connection/host-session.ts';
import type { Session } from '../../../src/transport/session.ts';
import { fakeHost } from '../../support/rollout-fixture.ts';

class FakeSession implements Session {
  readonly hostName = 'web01';
  readonly transport: string;
  readonly shell = 'posix';
  isAlive = true;
  closed = 0;

  constructor(transport = 'fake') {
    this.transport = transport;
  }

  exec(): Promise<never> {
    return Promise.reject(new FettleError('internal', 'nothing is run here'));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.isAlive = false;
    this.closed += 1;
    return Promise.resolve();
  }
}

interface Fixture {
  readonly link: HostSession;
  readonly opened: FakeSession[];
}

const host = fakeHost('web01');
const elevatedHost: Host = {
  ...host,
  connection: { ...host.connection, elevation: { method: 'sudo', user: 'root', flags: [] } },
};

/** `failures` are the answers of the first openings; after them the host answers. */
function fixture(failures: ErrorCode[] = [], of: Host = host): Fixture {
  const opened: FakeSession[] = [];
  const ports: LinkPorts = {
    open: async () => {
      await Promise.resolve();
      const failure = failures.shift();
      if (failure !== undefined) throw new FettleError(failure, `${failure} happened`);
      opened.push(new FakeSession());
      return opened.at(-1) ?? new FakeSession();
    },
    elevate: (session) => new FakeSession(`sudo over ${session.transport}`),
  };
  return { link: new HostSession(of, ports), opened };
}

describe('the link to a host', () => {
  test('opens nothing before it is needed and one connection for all who ask', async () => {
    const { link, opened } = fixture();
    assert.equal(opened.length, 0);
    const [one, two] = await Promise.all([link.plain(), link.plain()]);
    assert.equal(one, two);
    assert.equal(await link.plain(), one);
    assert.equal(opened.length, 1);
    await link[Symbol.asyncDispose]();
    assert.equal(opened[0]?.closed, 1);
  });

  test('opens another once the first is known to be dead, and closes the dead one', async () => {
    const { link, opened } = fixture();
    await link.plain();
    const [first] = opened;
    assert.ok(first);
    first.isAlive = false;
    assert.notEqual(await link.plain(), first);
    assert.equal(opened.length, 2);
    assert.equal(first.closed, 1);
    await link[Symbol.asyncDispose]();
  });

  test('names the account that the inventory elevates to', async () => {
    await using link = fixture([], elevatedHost).link;
    assert.equal((await link.plain()).transport, 'fake');
    assert.equal((await link.elevated()).transport, 'sudo over fake');
    assert.equal(await link.elevated(), await link.elevated());
  });

  test('gives the plain session where nothing is to become', async () => {
    await using link = fixture().link;
    assert.equal(await link.elevated(), await link.plain());
  });

  test('a failed opening is reported and not kept', async () => {
    await using link = fixture(['connect']).link;
    await assert.rejects(link.plain(), { code: 'connect' });
    assert.equal((await link.plain()).isAlive, true);
  });

  test('opens nothing after it was closed, and closes what is being opened', async () => {
    const { link, opened } = fixture();
    const opening = link.plain();
    await link[Symbol.asyncDispose]();
    await opening;
    assert.equal(opened[0]?.closed, 1);
    await assert.rejects(link.plain(), { code: 'internal' });
  });
});
