// What every record promises about leases: run on the ledger and on the double that stands for it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Operator } from '../../src/domain/event.ts';
import type { RunRecord } from '../../src/domain/record.ts';

export interface OpenedRecord extends AsyncDisposable {
  readonly record: RunRecord;
}

const operator: Operator = { user: 'op', controller: 'jump', pid: 7 };
const request = { run: 'r1', holder: operator, hostIds: ['a', 'b'], nowMs: 100, expiresMs: 200 };
const bob = { ...operator, user: 'bob', pid: 8 };
const boot = { id: 'boot-1', elapsedMs: 1000 };

function own(hostId: string, fence = 1): { run: string; hostId: string; fence: number } {
  return { run: 'r1', hostId, fence };
}

export function describeLeases(kind: string, open: () => Promise<OpenedRecord>): void {
  const withRecord = (title: string, body: (record: RunRecord) => Promise<void>): void => {
    test(title, async () => {
      await using opened = await open();
      await body(opened.record);
    });
  };

  describe(`leases of ${kind}`, () => {
    withRecord('a host is in one run at a time, and the answer names who holds it', async (record) => {
      assert.deepEqual((await record.acquireLeases(request)).refused, []);
      const second = await record.acquireLeases({ ...request, run: 'r2', hostIds: ['b', 'c'] });
      assert.deepEqual(
        second.taken.map(({ hostId }) => hostId),
        ['c'],
      );
      assert.deepEqual(second.refused, [{ hostId: 'b', run: 'r1', holder: operator, expiresMs: 200 }]);
    });

    withRecord('an expired or released lease is free, and each taking has a higher fence', async (record) => {
      await record.acquireLeases(request);
      await record.renewLeases({ leases: [own('a')], nowMs: 150, expiresMs: 300 });
      const early = await record.acquireLeases({ ...request, run: 'r2', hostIds: ['a'], nowMs: 250, expiresMs: 400 });
      assert.equal(early.taken.length, 0);
      const late = await record.acquireLeases({ ...request, run: 'r2', hostIds: ['a'], nowMs: 301, expiresMs: 400 });
      assert.ok((late.taken[0]?.fence ?? 0) > 1);
    });

    withRecord('renewing tells which leases somebody else has now, and does not prolong those', async (record) => {
      const { taken } = await record.acquireLeases(request);
      const leases = taken.map(({ hostId, fence }) => own(hostId, fence));
      const other = await record.acquireLeases({ run: 'r2', holder: bob, hostIds: ['a'], nowMs: 201, expiresMs: 300 });
      assert.equal(other.taken.length, 1);
      const lost = await record.renewLeases({ leases, nowMs: 210, expiresMs: 900 });
      assert.deepEqual(lost, [{ hostId: 'a', run: 'r2', holder: bob }]);
      const third = await record.acquireLeases({ ...request, run: 'r3', nowMs: 301, expiresMs: 400 });
      assert.deepEqual(
        third.taken.map(({ hostId }) => hostId),
        ['a'],
        'a ended at 300, b was prolonged to 900',
      );
    });

    withRecord(
      'an old process of a run that was resumed neither prolongs nor releases the new one’s',
      async (record) => {
        const { taken } = await record.acquireLeases({ ...request, hostIds: ['a'] });
        const old = taken.map(({ hostId, fence }) => own(hostId, fence));
        await record.acquireLeases({ run: 'r1', holder: bob, hostIds: ['a'], nowMs: 201, expiresMs: 300 });
        assert.deepEqual(await record.renewLeases({ leases: old, nowMs: 210, expiresMs: 900 }), [
          { hostId: 'a', run: 'r1', holder: bob },
        ]);
        await record.releaseLeases(old);
        const { refused } = await record.acquireLeases({ ...request, run: 'r2', hostIds: ['a'], nowMs: 299 });
        assert.deepEqual(refused, [{ hostId: 'a', run: 'r1', holder: bob, expiresMs: 300 }]);
      },
    );

    withRecord('a start is committed only while the lease is ours', async (record) => {
      const { taken } = await record.acquireLeases({ ...request, hostIds: ['a'] });
      const [lease] = taken.map(({ hostId, fence }) => own(hostId, fence));
      assert.ok(lease !== undefined);
      await record.appendHeld([{ type: 'note', level: 'info', message: 'one' }], lease);
      await record.acquireLeases({ run: 'r2', holder: bob, hostIds: ['a'], nowMs: 201, expiresMs: 300 });
      const late = record.appendHeld([{ type: 'note', level: 'info', message: 'two' }], lease);
      await assert.rejects(late, { code: 'lock-held', message: /run r2 of bob@jump \(pid 8\) has it now/ });
    });

    withRecord('two processes do not have one run in hand, unless the first is gone', async (record) => {
      await record.acquireLeases(request);
      assert.equal((await record.acquireLeases({ ...request, holder: bob })).taken.length, 0);
      assert.equal((await record.acquireLeases({ ...request, holder: bob, gone: [operator] })).taken.length, 2);
    });

    withRecord('a step of the wall clock ends no lease and prolongs none', async (record) => {
      await record.acquireLeases({ ...request, hostIds: ['a'], boot });
      const hour = 3_600_000;
      const at = (elapsedMs: number, nowMs: number) => ({
        ...{ run: 'r2', holder: bob, hostIds: ['a'], nowMs, expiresMs: nowMs + 100 },
        boot: { id: boot.id, elapsedMs },
      });
      assert.equal((await record.acquireLeases(at(boot.elapsedMs + 99, hour))).taken.length, 0, 'set forward');
      assert.equal((await record.acquireLeases(at(boot.elapsedMs + 101, 50))).taken.length, 1, 'set back');
    });

    withRecord('a lease from before the controller started anew is free', async (record) => {
      await record.acquireLeases({ ...request, hostIds: ['a'], boot });
      const after = {
        ...request,
        run: 'r2',
        holder: bob,
        hostIds: ['a'],
        nowMs: 101,
        boot: { id: 'boot-2', elapsedMs: 5 },
      };
      assert.equal((await record.acquireLeases({ ...after, holder: { ...bob, controller: 'far' } })).taken.length, 0);
      assert.equal((await record.acquireLeases(after)).taken.length, 1);
    });
  });
}
