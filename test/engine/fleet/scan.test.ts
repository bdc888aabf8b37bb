import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FettleError } from '../../../src/domain/error.ts';
import { scanHosts } from '../../../src/engine/fleet/scan.ts';
import type { ScanResult } from '../../../src/engine/fleet/scan.ts';
import { FakeRemote } from '../../support/fake-machine.ts';
import { hostContext } from '../../support/host-fixture.ts';
import { MemoryRecord } from '../../support/memory-record.ts';
import { fakeHost, fakeMachine } from '../../support/rollout-fixture.ts';

const names = ['a', 'b', 'c', 'd', 'e'];

interface Fleet {
  readonly record: MemoryRecord;
  readonly results: ScanResult[];
  readonly mostAtOnce: () => number;
  readonly run: (stop?: AbortSignal) => Promise<void>;
  readonly fail: (name: string, error: FettleError) => void;
}

interface FleetOptions {
  readonly hosts?: readonly string[];
  /** What comes of reading each answer, instead of a scan. */
  readonly unreadable?: FettleError;
}

function fleet(concurrency: number, { hosts = names, unreadable }: FleetOptions = {}): Fleet {
  const record = new MemoryRecord();
  const machines = new Map(hosts.map((name) => [name, fakeMachine(name)]));
  const results: ScanResult[] = [];
  let open = 0;
  let most = 0;
  const run = (stop = new AbortController().signal): Promise<void> =>
    scanHosts(
      hosts.map((name) => fakeHost(name)),
      {
        context: hostContext({ machine: fakeMachine('any'), record, stop }),
        concurrency,
        maxAgeMs: 1,
        remote: (host) => {
          open += 1;
          most = Math.max(most, open);
          const remote = new FakeRemote(host, machines.get(host.name) ?? fakeMachine(host.name));
          const scan = remote.scan.bind(remote);
          remote.scan = async (options) => {
            const read = await scan(options);
            if (unreadable !== undefined) throw unreadable;
            return read;
          };
          remote[Symbol.asyncDispose] = () => {
            open -= 1;
            return Promise.resolve();
          };
          return remote;
        },
        onResult: (result) => void results.push(result),
      },
    );
  const fail = (name: string, error: FettleError): void => {
    const machine = machines.get(name);
    if (machine !== undefined) machine.unreachable = error;
  };
  return { record, results, run, fail, mostAtOnce: () => most };
}

describe('a scan of many hosts', () => {
  test('settles every host, some at once, and closes each connection', async () => {
    const { results, run, mostAtOnce } = fleet(2);
    await run();
    assert.deepEqual(results.map((result) => result.host.name).toSorted(), names);
    assert.equal(mostAtOnce(), 2);
  });

  test('records each scan before it is shown', async () => {
    const { record, run } = fleet(5);
    await run();
    assert.deepEqual(
      record.events.map((event) => (event.type === 'host.scanned' ? event.host : event.type)).toSorted(),
      names,
    );
  });

  test('a ledger that is slow lets few answers be read at once, and all in the end', async () => {
    const many = Array.from({ length: 100 }, (_, index) => `h${index}`);
    const { record, run, results } = fleet(many.length, { hosts: many });
    const awake = Promise.withResolvers<void>();
    const append = record.append.bind(record);
    let read = 0;
    record.append = async (events) => {
      read += 1;
      await awake.promise;
      await append(events);
    };
    const over = run();
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    assert.equal(read, 16);
    awake.resolve();
    await over;
    assert.equal(results.length, many.length);
  });

  test('a host that fails while it is read gives its place to the next', async () => {
    const many = Array.from({ length: 40 }, (_, index) => `h${index}`);
    const { run, results } = fleet(many.length, {
      hosts: many,
      unreadable: new FettleError('parse', 'it does not read'),
    });
    await run();
    assert.equal(results.length, many.length);
  });

  const endings = [
    ['connect', 'unreachable'],
    ['auth', 'unreachable'],
    ['parse', 'failed'],
  ] as const;
  for (const [code, verdict] of endings) {
    test(`a host that fails with ${code} is ${verdict} and stops no other`, async () => {
      const { record, results, run, fail } = fleet(5);
      fail('c', new FettleError(code, `c: ${code}`, { hint: 'look' }));
      await run();
      assert.equal(results.filter((result) => 'scan' in result).length, 4);
      const ended = record.events.flatMap((event) => (event.type === 'host.finished' ? [event] : []));
      assert.deepEqual(
        ended.map(({ host, outcome }) => [host, outcome.verdict, outcome.change, outcome.error?.code]),
        [['c', verdict, 'none', code]],
      );
    });
  }

  test('a host that this machine had no descriptors for is skipped, not unreachable', async () => {
    const { record, run, fail } = fleet(5);
    fail('c', new FettleError('connect', 'no file descriptor is left', { details: { code: 'EMFILE', ours: true } }));
    await run();
    const ended = record.events.flatMap((event) => (event.type === 'host.finished' ? [event.outcome] : []));
    assert.deepEqual(
      ended.map(({ verdict, error }) => [verdict, error?.code]),
      [['skipped', 'connect']],
    );
  });

  test('a ledger that cannot be written ends it', async () => {
    const { record, run, results } = fleet(1);
    record.broken = new FettleError('ledger', 'the disk is full');
    await assert.rejects(run(), { code: 'ledger' });
    assert.deepEqual(results, []);
  });

  test('after a stop no further host is contacted', async () => {
    const { run, mostAtOnce, results } = fleet(1);
    await run(AbortSignal.abort(new FettleError('cancelled', 'stopped')));
    assert.equal(mostAtOnce(), 0);
    assert.ok(results.every((result) => 'error' in result && result.error.code === 'cancelled'));
  });
});
