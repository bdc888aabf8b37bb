// What is left of a job that is over.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { collectJob, startJob, sweepJobs } from '../../src/remote/jobs.ts';
import { ended, hook, noLinux, phaseOf } from '../support/hook-job.ts';
import { ShellSession, shellIsMissing } from '../support/shell-session.ts';

for (const shell of ['dash', 'busybox'] as const) {
  describe(`a job that is over, under ${shell}`, { skip: shellIsMissing(shell) ?? noLinux ?? false }, () => {
    test('collected leaves a name that keeps it from being started again, and frees the host', async () => {
      await using session = new ShellSession({ shell });
      const start = hook('r1-a-1', 'true');
      await startJob(session, start);
      await ended(session, 'r1-a-1');
      await collectJob(session, 'r1-a-1');
      await collectJob(session, 'r1-a-1');
      assert.deepEqual(readdirSync(session.jobs), []);
      assert.deepEqual(readdirSync(join(session.base, 'collected', 'r1-a-1')), []);
      assert.deepEqual(readdirSync(session.base).sort(), ['collected', 'jobs'], 'no lock, no record');
      assert.equal((await startJob(session, start)).phase, 'collected');
      assert.equal(await phaseOf(session, 'r1-a-1'), 'collected');
    });

    test('collected a month ago is forgotten', async () => {
      await using session = new ShellSession({ shell });
      const start = hook('r1-a-1', 'true');
      await startJob(session, start);
      await ended(session, 'r1-a-1');
      const graves = join(session.base, 'collected');
      for (const [name, days] of [
        ['old', 32],
        ['young', 29],
      ] as const) {
        mkdirSync(join(graves, name));
        const when = Date.now() / 1000 - days * 86_400;
        utimesSync(join(graves, name), when, when);
      }
      await collectJob(session, 'r1-a-1');
      assert.deepEqual(readdirSync(graves).sort(), ['r1-a-1', 'young']);
    });

    test('of another run that was abandoned is swept, those of this run and young ones are not', async () => {
      await using session = new ShellSession({ shell });
      for (const [job, run] of [
        ['r1-a-1', 'R1'],
        ['r2-a-1', 'R2'],
        ['r3-a-1', 'R3'],
      ] as const) {
        await startJob(session, hook(job, 'true', { run }));
        await ended(session, job);
      }
      const long = Date.now() / 1000 - 9 * 86_400;
      for (const job of ['r1-a-1', 'r2-a-1']) utimesSync(join(session.jobs, job), long, long);
      assert.deepEqual(await sweepJobs(session, { run: 'R1', isDone: false }), ['r2-a-1']);
      assert.deepEqual(readdirSync(session.jobs).sort(), ['r1-a-1', 'r3-a-1']);
      assert.equal(await phaseOf(session, 'r2-a-1'), 'collected');
    });

    test('of a run that is done with the host are swept, however young; a running one is not', async () => {
      await using session = new ShellSession({ shell });
      await startJob(session, hook('r1-a-1', 'true', { run: 'R1' }));
      await ended(session, 'r1-a-1');
      await startJob(session, hook('r3-a-1', 'true', { run: 'R3' }));
      await ended(session, 'r3-a-1');
      await startJob(session, hook('r1-b-1', 'sleep 2', { run: 'R1' }));
      assert.deepEqual(await sweepJobs(session, { run: 'R1', isDone: true }), ['r1-a-1']);
      assert.deepEqual(readdirSync(session.jobs).sort(), ['r1-b-1', 'r3-a-1']);
      await ended(session, 'r1-b-1');
    });

    test('half made when its starter died belongs to no run', async () => {
      await using session = new ShellSession({ shell });
      await startJob(session, hook('r1-a-1', 'true', { run: 'R1' }));
      await ended(session, 'r1-a-1');
      for (const name of ['.r1-b-1.305', '.r2-b-1.305', '.gone.r2-c-1.7']) mkdirSync(join(session.jobs, name));
      await sweepJobs(session, { run: 'R1', isDone: true });
      assert.deepEqual(readdirSync(session.jobs), []);
    });
  });
}
