// What every record promises to a run that is resumed: run on the ledger and on the double that stands for it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { RunEvent, StepName } from '../../src/domain/event.ts';
import type { RunControl, RunRecord } from '../../src/domain/record.ts';
import { append, planSha256, run, scan, started, update, wholeRun } from '../ledger/fixtures.ts';

export interface OpenedRecord extends AsyncDisposable {
  readonly record: RunRecord & RunControl;
}

const of = { run, host: 'web01', hostId: 'web01' } as const;

function step(name: StepName, attempt = 1): readonly [RunEvent, RunEvent] {
  const its = { ...of, attempt, step: name } as const;
  return [
    { type: 'step.started', ...its },
    { type: 'step.finished', ...its, ok: true },
  ];
}

function hostStarted(attempt: number): RunEvent {
  return { type: 'host.started', ...of, attempt };
}

export function describeRunRecord(kind: string, open: () => Promise<OpenedRecord>): void {
  const withRecord = (title: string, body: (record: RunRecord & RunControl) => Promise<void>): void => {
    test(title, async () => {
      await using opened = await open();
      await body(opened.record);
    });
  };

  describe(`the record of ${kind}`, () => {
    withRecord('a run that was never recorded has no state, and a host of it no facts', async (record) => {
      assert.equal(await record.runState(run), undefined);
      assert.deepEqual(await record.recordedFacts(run, 'web01'), {});
    });

    withRecord('a blob has the SHA-256 of its bytes as its name, however often it is stored', async (record) => {
      const bytes = Buffer.from('output');
      const name = createHash('sha256').update(bytes).digest('hex');
      assert.deepEqual([await record.putBlob(bytes), await record.putBlob(bytes)], [name, name]);
    });

    withRecord('an install that was begun is open with its job, and its wave too', async (record) => {
      await append(record, wholeRun.slice(0, 6));
      const state = await record.runState(run);
      assert.deepEqual(state?.hosts, [
        {
          host: 'web01',
          hostId: 'web01',
          attempt: 1,
          doneSteps: [],
          endedInstalls: [],
          openSteps: [{ step: 'install', attempt: 1, job: 'j-1', jobKind: 'install' }],
          reboots: 0,
          owesAfterHooks: false,
        },
      ]);
      assert.deepEqual(
        [state.kind, state.planSha256, state.openWave, state.finished],
        ['apply', planSha256, 0, undefined],
      );
    });

    withRecord('a run that is over says how; one that was resumed is not over', async (record) => {
      await append(record, wholeRun);
      const state = await record.runState(run);
      assert.deepEqual([state?.finished, state?.openWave], [{ exitCode: 0, exitName: 'ok' }, undefined]);
      assert.equal(state?.hosts[0]?.outcome?.verdict, 'verified');
      assert.deepEqual([state.hosts[0].doneSteps, state.hosts[0].reboots], [['install'], 1]);
      const operator = { user: 'op', controller: 'jump', pid: 8 };
      await record.append([{ type: 'run.resumed', run, operator, argv: [] }]);
      assert.equal((await record.runState(run))?.finished, undefined);
    });

    withRecord('a second attempt begins with nothing done, and open steps of the first stay open', async (record) => {
      await append(record, [started(), hostStarted(1), ...step('connect')]);
      await record.append([{ type: 'step.started', ...of, attempt: 1, step: 'install', job: 'j-1' }, hostStarted(2)]);
      const [host] = (await record.runState(run))?.hosts ?? [];
      assert.deepEqual([host?.attempt, host?.doneSteps, host?.outcome], [2, [], undefined]);
      assert.deepEqual(host?.openSteps, [{ step: 'install', attempt: 1, job: 'j-1' }]);
      await record.append([{ type: 'step.finished', ...of, attempt: 1, step: 'install', job: 'j-1', ok: true }]);
      const [later] = (await record.runState(run))?.hosts ?? [];
      assert.deepEqual([later?.openSteps, later?.doneSteps], [[], []], 'what attempt 1 did is not done in attempt 2');
    });

    withRecord('an attempt that is started again has no outcome any more', async (record) => {
      const outcome = { verdict: 'detached', change: 'unknown', reason: 'detached' } as const;
      await append(record, [started(), hostStarted(1), { type: 'host.finished', ...of, attempt: 1, outcome }]);
      assert.equal((await record.runState(run))?.hosts[0]?.outcome?.verdict, 'detached');
      await record.append([hostStarted(1)]);
      const [host] = (await record.runState(run))?.hosts ?? [];
      assert.deepEqual([host?.attempt, host?.outcome], [1, undefined]);
    });

    withRecord(
      'hooks after a host are owed from the first hook before it until an outcome pays them',
      async (record) => {
        const owes = async (): Promise<boolean | undefined> => (await record.runState(run))?.hosts[0]?.owesAfterHooks;
        const finished = (attempt: number, more: object = {}): RunEvent => {
          const outcome = { verdict: 'failed', change: 'none', reason: 'x', ...more } as const;
          return { type: 'host.finished', ...of, attempt, outcome };
        };
        await append(record, [started(), hostStarted(1), ...step('before_host')]);
        assert.equal(await owes(), true);
        await record.append([finished(1, { owesHooks: true }), hostStarted(2)]);
        assert.equal(await owes(), true, 'a debt outlives its attempt');
        await record.append([finished(2)]);
        assert.equal(await owes(), false);
      },
    );

    withRecord('hosts of other runs, and hosts that were only scanned, are no hosts of the run', async (record) => {
      const other = { run: '01OTHER', host: 'db01', hostId: 'db01' } as const;
      await append(record, [
        started(),
        started(other.run),
        { type: 'host.started', ...other, attempt: 1 },
        { type: 'wave.started', run: other.run, wave: 3, name: 'x', hosts: [] },
        { type: 'host.scanned', ...of, scan: scan([]), purpose: 'scan' },
      ]);
      assert.deepEqual([(await record.runState(run))?.hosts, (await record.runState(run))?.openWave], [[], undefined]);
      assert.deepEqual(
        (await record.runState(other.run))?.hosts.map(({ host }) => host),
        ['db01'],
      );
    });

    withRecord(
      'the latest scan before the work, results and adjustment are what verify compares with',
      async (record) => {
        const adjustment = { superseded: [], skipped: ['apt/app:all'] };
        const before = (to: string): RunEvent => ({
          type: 'host.scanned',
          ...of,
          scan: scan([update('app', to)]),
          purpose: 'before',
        });
        await append(record, wholeRun);
        await record.append([
          before('3'),
          { type: 'host.scanned', ...of, scan: scan([]), purpose: 'after' },
          { type: 'step.started', ...of, attempt: 1, step: 'install', job: 'j-2', adjustment },
        ]);
        const facts = await record.recordedFacts(run, 'web01');
        assert.deepEqual(facts.before, scan([update('app', '3')]));
        assert.deepEqual(
          facts.results?.map(({ name, state }) => `${name} ${state}`),
          ['app installed', 'lib failed'],
        );
        assert.deepEqual(facts.adjustment, adjustment);
        assert.deepEqual(await record.recordedFacts(run, 'db01'), {});
      },
    );

    withRecord('a stop that was asked for is there until it is withdrawn', async (record) => {
      await append(record, [started()]);
      assert.equal(await record.stopRequested(run), false);
      await record.requestStop(run);
      await record.requestStop(run);
      assert.deepEqual([await record.stopRequested(run), await record.stopRequested('01OTHER')], [true, false]);
      await record.withdrawStop(run);
      assert.equal(await record.stopRequested(run), false);
    });

    withRecord('a lease that was abandoned is free, and who had it may not start anything', async (record) => {
      const holder = { user: 'op', controller: 'jump', pid: 7 };
      const request = { run, holder, hostIds: ['web01'], nowMs: 100, expiresMs: 200 };
      const [taken] = (await record.acquireLeases(request)).taken;
      await record.abandonLease('01OTHER', 'web01');
      assert.deepEqual(
        (await record.acquireLeases({ ...request, run: '01X' })).taken,
        [],
        'another run gave nothing up',
      );
      await record.abandonLease(run, 'web01');
      const own = { run, hostId: 'web01', fence: taken?.fence ?? 0 };
      await assert.rejects(record.appendHeld([hostStarted(1)], own), { code: 'lock-held' });
      const [next] = (await record.acquireLeases({ ...request, run: '01X' })).taken;
      assert.ok((next?.fence ?? 0) > own.fence);
    });
  });
}
