// The host loses power at any moment of a start: what its disk holds then is started again once, or known to have begun.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { followJob, startJob } from '../../src/remote/jobs.ts';
import { ended, hook, noLinux } from '../support/hook-job.ts';
import { diskAfter, readTrace, writeDisk } from '../support/power-cut.ts';
import { ShellSession, shellIsMissing } from '../support/shell-session.ts';

const isRoot = process.getuid?.() === 0;
const noStrace = spawnSync('strace', ['-V']).status === 0 ? undefined : 'strace is not installed';
const calls =
  'mkdir,mkdirat,open,openat,write,rename,renameat,renameat2,unlink,unlinkat,rmdir,fsync,fdatasync,sync,syncfs';

describe('a power cut while a job is started', { skip: shellIsMissing('dash') ?? noLinux ?? noStrace ?? false }, () => {
  test('never runs it twice, and never leaves it claimed for ever', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'fettle-trace-'));
    try {
      const file = join(directory, 'trace');
      const options = ['-f', '-y', '-xx', '-s', '1000000', '-e', `trace=${calls}`, '-o', file];
      const wrapper = ['strace', ...(isRoot ? ['-u', 'nobody'] : []), ...options];
      await using traced = new ShellSession({ wrapper, stepsDown: true });
      const count = (home: string): string => join(home, 'count');
      // The claim that outlives the power cut is the one of before: its text must hold on any host.
      const script = `echo x >>"$HOME/count"`;
      await startJob(traced, hook('r1-a-1', script));
      // The trace ends with the last process of the job.
      const done = readTrace(readFileSync(file, 'latin1'), traced.home);
      const begun = done.findIndex((call) => call.path === count(traced.home));
      assert.ok(begun > 10, `the trace shows the work: ${done.length} calls`);
      // Work may reach its own disk, or another file system, before names that were not synced reach this one.
      const synced = done.slice(0, begun).findLastIndex(({ kind }) => kind === 'sync' || kind === 'sync-all');
      const worlds = done.map((_call, index) => ({ held: index + 1, hasRun: index >= begun }));
      const seen = new Set<string>();
      for (const { held, hasRun } of [{ held: 0, hasRun: false }, ...worlds, { held: synced + 1, hasRun: true }]) {
        const disk = diskAfter(done.slice(0, held));
        const key = JSON.stringify([...disk, hasRun]);
        if (seen.has(key)) continue;
        seen.add(key);
        await using session = new ShellSession();
        writeDisk(disk, traced.home, session.home, isRoot ? 65_534 : undefined);
        rmSync(count(session.home), { force: true });
        const { phase } = await startJob(session, hook('r1-a-1', script));
        if (phase !== 'crashed' && phase !== 'interrupted') await ended(session, 'r1-a-1');
        const last = (await followJob(session, 'r1-a-1', 0, { waitSec: 0, maxBytes: 1 })).status.phase;
        const runs = existsSync(count(session.home)) ? readFileSync(count(session.home), 'utf8').length / 2 : 0;
        const at = `${held} of ${done.length} calls, phase ${last}`;
        assert.ok(['done', 'crashed', 'interrupted'].includes(last), at);
        assert.ok(runs + (hasRun ? 1 : 0) <= 1, `twice: ${at}`);
        assert.ok(runs === 1 || last !== 'done' || hasRun, `never: ${at}`);
      }
      assert.ok(seen.size > 10, `${seen.size} different disks`);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
