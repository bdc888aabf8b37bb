import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import { watchHosts, type WatchNews } from '../../../src/engine/fleet/watch.ts';
import { FakeRemote } from '../../support/fake-machine.ts';
import { hostContext } from '../../support/host-fixture.ts';
import { fakeHost, fakeMachine } from '../../support/rollout-fixture.ts';

/** Watches until so many answers came. */
async function watch(
  machine: ReturnType<typeof fakeMachine>,
  looks: number,
  onLook: (count: number) => void = () => undefined,
  keepsConnections = true,
) {
  const context = hostContext({ machine });
  const over = new AbortController();
  const news: WatchNews[] = [];
  let opened = 0;
  await watchHosts([fakeHost('web1')], {
    context,
    remote: (host) => {
      opened += 1;
      return new FakeRemote(host, machine);
    },
    concurrency: 2,
    keepsConnections,
    intervalMs: 5_000,
    until: over.signal,
    onNews: (item) => {
      news.push(item);
      onLook(news.length);
      if (news.length === looks) over.abort();
    },
  });
  return { news, opened, elapsedMs: context.clock.elapsedMs() };
}

test('a host is pinged over one connection for as long as it answers', async () => {
  const machine = fakeMachine('web1');
  const { news, opened, elapsedMs } = await watch(machine, 3);
  assert.deepEqual(
    news.map(({ state, bootId }) => [state, bootId]),
    Array.from({ length: 3 }, () => ['up', 'web1-boot-1']),
  );
  assert.equal(opened, 1);
  assert.equal(elapsedMs, 10_000);
});

test('where there is no room for a connection to each host, each ping has one of its own', async () => {
  const machine = fakeMachine('web1');
  const { news, opened } = await watch(machine, 3, undefined, false);
  assert.deepEqual(
    news.map(({ state }) => state),
    ['up', 'up', 'up'],
  );
  // One more is at hand for the look that the end came before.
  assert.equal(opened, 4);
});

test('one that went away is pinged over a new connection each time, and its new boot is reported', async () => {
  const machine = fakeMachine('web1');
  machine.lookScript = ['up', 'down', 'down', 'back'];
  const { news, opened } = await watch(machine, 4);
  assert.deepEqual(
    news.map(({ state }) => state),
    ['up', 'down', 'down', 'up'],
  );
  assert.equal(news[3]?.bootId, 'web1-boot-2');
  assert.equal(opened, 3);
});

test('one that refuses the login is tried once a minute, so that no account is locked', async () => {
  const machine = fakeMachine('web1');
  machine.unreachable = new FettleError('auth', 'refused');
  const { news, elapsedMs } = await watch(machine, 3);
  assert.deepEqual(
    news.map(({ state }) => state),
    ['refused', 'refused', 'refused'],
  );
  assert.equal(elapsedMs, 120_000);
});

test('the end of the watch is no change of the host', async () => {
  const machine = fakeMachine('web1');
  machine.unreachable = new FettleError('connect', 'refused');
  const { news } = await watch(machine, 1);
  assert.equal(news.length, 1);
});
