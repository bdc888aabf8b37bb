// What lies on a host between two questions: a job that somebody altered, and the place where releases before kept jobs.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { collectJob, startJob, sweepJobs } from '../../src/remote/jobs.ts';
import { claimOnly, ended, hook, noLinux, phaseOf } from '../support/hook-job.ts';
import { ShellSession, shellIsMissing } from '../support/shell-session.ts';

for (const shell of ['dash', 'busybox'] as const) {
  describe(`files of jobs, under ${shell}`, { skip: shellIsMissing(shell) ?? noLinux ?? false }, () => {
    for (const name of ['script', 'request'] as const) {
      test(`a job whose ${name} was altered after it was claimed does not run so; it is claimed anew`, async () => {
        await using session = new ShellSession({ shell });
        const start = hook('r1-a-1', `echo x >>"${join(session.home, 'count')}"`);
        await claimOnly(session, start);
        assert.equal(await phaseOf(session, 'r1-a-1'), 'claimed');
        const file = join(session.jobs, 'r1-a-1', name);
        const altered = join(session.home, 'altered');
        if (name === 'script') writeFileSync(file, `touch ${altered}\n${readFileSync(file, 'utf8')}`);
        else appendFileSync(file, 'mode=altered\n');
        assert.equal(await phaseOf(session, 'r1-a-1'), 'absent');
        await startJob(session, start);
        const { result } = await ended(session, 'r1-a-1');
        assert.equal(result?.verdict, 'ok');
        assert.equal(existsSync(altered), false);
        assert.equal(readFileSync(join(session.home, 'count'), 'utf8'), 'x\n');
        assert.doesNotMatch(readFileSync(file, 'utf8'), /altered/);
      });
    }

    test('a job of the former place is finished there, and never runs again in the new one', async () => {
      await using session = new ShellSession({ shell });
      const start = hook('r1-a-1', `echo x >>"${join(session.home, 'count')}"`);
      await startJob(session, start);
      await ended(session, 'r1-a-1');
      const former = join(session.home, 'fettle');
      renameSync(session.base, former);
      assert.equal(await phaseOf(session, 'r1-a-1'), 'done');
      assert.equal((await startJob(session, start)).phase, 'done');
      await collectJob(session, 'r1-a-1');
      assert.deepEqual(readdirSync(join(former, 'collected')), ['r1-a-1']);
      assert.equal((await startJob(session, start)).phase, 'collected');
      // The next job goes to the new place, and what is left of the former one keeps its names.
      await startJob(session, hook('r2-a-1', 'true', { run: 'R2' }));
      await ended(session, 'r2-a-1');
      assert.deepEqual(readdirSync(session.jobs), ['r2-a-1']);
      await sweepJobs(session, { run: 'R2', isDone: true });
      assert.deepEqual(readdirSync(former), ['collected']);
      assert.equal(await phaseOf(session, 'r1-a-1'), 'collected');
      assert.equal(readFileSync(join(session.home, 'count'), 'utf8'), 'x\n');
    });
  });
}
