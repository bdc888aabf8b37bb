// Detached jobs end to end, as an ordinary user whose jobs are in a state directory of the test's own.
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { collectJob, followJob, startJob } from '../../src/remote/jobs.ts';
import type { StartOptions } from '../../src/remote/jobs.ts';
import { claimOnly, ended, hook, noLinux, phaseOf } from '../support/hook-job.ts';
import { ShellSession, shellIsMissing } from '../support/shell-session.ts';

for (const shell of ['dash', 'busybox'] as const) {
  describe(`a job under ${shell}`, { skip: shellIsMissing(shell) ?? noLinux ?? false }, () => {
    test('runs to its end after the session that started it is over, and gives log and result', async () => {
      await using session = new ShellSession({ shell });
      const status = await startJob(session, hook('r1-a-1', 'echo one; echo two >&2; exit 3'));
      assert.ok(['running', 'done'].includes(status.phase));
      const { log, result, status: last } = await ended(session, 'r1-a-1');
      assert.equal(log.toString(), 'one\ntwo\n');
      assert.equal(last.phase, 'done');
      assert.equal(last.logBytes, log.length);
      assert.equal(last.bootId, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
      assert.equal(result?.exitCode, 3);
      assert.equal(result.verdict, 'failed');
      assert.match(result.message ?? '', /status 3/);
      assert.ok((result.endedMs ?? 0) >= (result.startedMs ?? Infinity));
    });

    test('takes any bytes as its script and finds an empty input, no tty and a usual umask', async () => {
      await using session = new ShellSession({ shell });
      const script = `umask; cat; tty; printf '%s\\n' '$(x) "é" \\ \`y\` *'; [ "$#" = 0 ] && echo none`;
      await startJob(session, hook('r1-a-1', script));
      assert.equal((await ended(session, 'r1-a-1')).log.toString(), '0022\nnot a tty\n$(x) "é" \\ `y` *\nnone\n');
    });

    test('answers its start with the first of its news where they are waited for', async () => {
      await using session = new ShellSession({ shell });
      const { news } = await startJob(session, { ...hook('r1-a-1', 'echo one; exit 3'), waitSec: 20 });
      assert.notEqual(news, undefined);
      const rest = await ended(session, 'r1-a-1');
      assert.equal(rest.log.toString(), 'one\n');
      if (news?.status.phase === 'done') assert.deepEqual([news.log.toString(), news.result?.exitCode], ['one\n', 3]);
      assert.equal((await startJob(session, hook('r1-b-1', 'true'))).news, undefined);
    });

    test('is read on from any offset', async () => {
      await using session = new ShellSession({ shell });
      await startJob(session, hook('r1-a-1', 'printf 0123456789'));
      await ended(session, 'r1-a-1');
      const { log, offset } = await followJob(session, 'r1-a-1', 4, { waitSec: 0, maxBytes: 3 });
      assert.equal(log.toString(), '456');
      assert.equal(offset, 7);
      assert.equal((await followJob(session, 'r1-a-1', 99, { waitSec: 0, maxBytes: 3 })).log.length, 0);
    });

    test('shows its output while it runs', async () => {
      await using session = new ShellSession({ shell });
      const gate = join(session.home, 'gate');
      await startJob(session, hook('r1-a-1', `echo begun; until [ -e "${gate}" ]; do sleep 0.1; done`));
      const news = await followJob(session, 'r1-a-1', 0, { waitSec: 30, maxBytes: 100 });
      assert.equal(news.log.toString(), 'begun\n');
      assert.equal(news.status.phase, 'running');
      assert.equal(news.status.note, 'running the script');
      assert.equal(news.result, undefined);
      writeFileSync(gate, '');
      assert.equal((await ended(session, 'r1-a-1')).result?.verdict, 'ok');
    });

    test('is started once however many ask at once', async () => {
      await using session = new ShellSession({ shell });
      const count = join(session.home, 'count');
      const start = hook('r1-a-1', `echo x >>"${count}"`);
      const all = await Promise.all(Array.from({ length: 5 }, () => startJob(session, start)));
      assert.ok(all.every((status) => status.phase !== 'absent'));
      await ended(session, 'r1-a-1');
      assert.equal((await startJob(session, start)).phase, 'done');
      assert.equal(readFileSync(count, 'utf8'), 'x\n');
    });

    test('claimed by a controller that died is started by the next one that asks', async () => {
      await using session = new ShellSession({ shell });
      const start = hook('r1-a-1', 'echo ran');
      await claimOnly(session, start);
      assert.equal(await phaseOf(session, 'r1-a-1'), 'claimed');
      await startJob(session, { ...start, controller: 'two', fence: 2 });
      assert.equal((await ended(session, 'r1-a-1')).log.toString(), 'ran\n');
    });

    test('keeps other runs out while it is running, and names who has the host', async () => {
      await using session = new ShellSession({ shell });
      const gate = join(session.home, 'gate');
      await startJob(session, hook('r1-a-1', `until [ -e "${gate}" ]; do sleep 0.1; done`));
      const other = hook('r2-a-1', 'true', { run: 'R2' });
      await assert.rejects(startJob(session, other), {
        code: 'lock-held',
        message: /R1 from jump_host_1/,
        details: { run: 'R1', job: 'r1-a-1', controller: 'jump_host_1' },
      });
      assert.equal(await phaseOf(session, 'r2-a-1'), 'absent');
      await assert.rejects(collectJob(session, 'r1-a-1'), { code: 'lock-held', message: /still running/ });
      writeFileSync(gate, '');
      await ended(session, 'r1-a-1');
      await startJob(session, other);
      assert.equal((await ended(session, 'r2-a-1')).result?.verdict, 'ok');
    });

    test('lets one of several runs in, never two', async () => {
      await using session = new ShellSession({ shell });
      const gate = join(session.home, 'gate');
      const text = `until [ -e "${gate}" ]; do sleep 0.1; done`;
      const asked = await Promise.allSettled(
        [1, 2, 3, 4].map((n) => startJob(session, hook(`r${n}-a-1`, text, { run: `R${n}` }))),
      );
      assert.equal(asked.filter((item) => item.status === 'fulfilled').length, 1);
      writeFileSync(gate, '');
      const [winner = ''] = readdirSync(session.jobs);
      await ended(session, winner);
    });

    test('of an older lease of the same run is refused', async () => {
      await using session = new ShellSession({ shell });
      await startJob(session, hook('r1-a-1', 'true', { fence: 7 }));
      await ended(session, 'r1-a-1');
      await assert.rejects(startJob(session, hook('r1-b-1', 'true', { fence: 6 })), { code: 'lock-held' });
      assert.notEqual((await startJob(session, hook('r1-b-1', 'true', { fence: 8 }))).phase, 'absent');
      await ended(session, 'r1-b-1');
    });

    test('claimed in an earlier boot and never started blocks no run', async () => {
      await using session = new ShellSession({ shell });
      await claimOnly(session, hook('r1-a-1', 'true'));
      const claim = join(session.jobs, 'r1-a-1', 'claimed');
      const [, , digest = ''] = readFileSync(claim, 'utf8').trim().split(' ');
      writeFileSync(claim, `01234567-89ab-cdef-0123-456789abcdef 5 ${digest}\n`);
      await startJob(session, hook('r2-a-1', 'true', { run: 'R2' }));
      assert.equal((await ended(session, 'r2-a-1')).result?.verdict, 'ok');
    });

    test('whose processes were killed is crashed, and is not started again', async () => {
      await using session = new ShellSession({ shell });
      const count = join(session.home, 'count');
      const start = hook('r1-a-1', `echo x >>"${count}"; echo $$; exec sleep 600`);
      await startJob(session, start);
      const { log } = await followJob(session, 'r1-a-1', 0, { waitSec: 30, maxBytes: 100 });
      const [runner = ''] = readFileSync(join(session.jobs, 'r1-a-1', 'started', 'state'), 'utf8').split(' ');
      process.kill(Number(runner), 'SIGKILL');
      assert.equal(await phaseOf(session, 'r1-a-1'), 'running', 'its command still works');
      process.kill(Number(log.toString()), 'SIGKILL');
      while ((await phaseOf(session, 'r1-a-1')) === 'running');
      assert.equal(await phaseOf(session, 'r1-a-1'), 'crashed');
      assert.equal((await startJob(session, start)).phase, 'crashed');
      assert.equal(readFileSync(count, 'utf8'), 'x\n');
    });

    test('of an earlier boot without a result is interrupted', async () => {
      await using session = new ShellSession({ shell });
      await startJob(session, hook('r1-a-1', 'true'));
      await ended(session, 'r1-a-1');
      rmSync(join(session.jobs, 'r1-a-1', 'result'));
      writeFileSync(join(session.jobs, 'r1-a-1', 'started', 'state'), '1 1 01234567-89ab-cdef-0123-456789abcdef 1\n');
      assert.equal(await phaseOf(session, 'r1-a-1'), 'interrupted');
    });

    test('outlives the usual signals', async () => {
      await using session = new ShellSession({ shell });
      const gate = join(session.home, 'gate');
      await startJob(session, hook('r1-a-1', `until [ -e "${gate}" ]; do sleep 0.1; done; echo survived`));
      const [runner = ''] = readFileSync(join(session.jobs, 'r1-a-1', 'started', 'state'), 'utf8').split(' ');
      for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT', 'SIGPIPE'] as const) process.kill(Number(runner), signal);
      writeFileSync(gate, '');
      const { log, result } = await ended(session, 'r1-a-1');
      assert.equal(log.toString(), 'survived\n');
      assert.equal(result?.verdict, 'ok');
    });

    test('that floods its output keeps the first megabytes and runs on to its end', async () => {
      await using session = new ShellSession({ shell });
      const done = join(session.home, 'done');
      await startJob(session, hook('r1-a-1', `head -c 20000000 /dev/zero | tr '\\0' x; echo end >"${done}"`));
      const { log, result } = await ended(session, 'r1-a-1');
      assert.equal(result?.verdict, 'ok');
      assert.equal(readFileSync(done, 'utf8'), 'end\n');
      assert.equal(log.subarray(0, 8 * 1024 * 1024).filter((byte) => byte !== 0x78).length, 0);
      assert.match(log.subarray(8 * 1024 * 1024).toString(), /^\n\[fettle: the log ends here/);
    });

    test('that leaves a daemon with the log still open ends all the same', async () => {
      await using session = new ShellSession({ shell });
      await startJob(session, hook('r1-a-1', 'sleep 600 & echo $!'));
      const { log, result } = await ended(session, 'r1-a-1');
      assert.equal(result?.verdict, 'ok');
      process.kill(Number(log.toString()), 'SIGTERM');
    });

    test('is not put into a tree that is a link or that others can write to', async () => {
      await using session = new ShellSession({ shell });
      const { base } = session;
      symlinkSync('/tmp', base);
      await assert.rejects(startJob(session, hook('r1-a-1', 'true')), {
        code: 'disk',
        message: /not a directory of this account/,
      });
      rmSync(base);
      mkdirSync(base);
      chmodSync(base, 0o777);
      await assert.rejects(startJob(session, hook('r1-a-1', 'true')), { code: 'disk' });
      assert.deepEqual(readdirSync(base), []);
    });

    test('is refused where its request is malformed, before anything is claimed', async () => {
      await using session = new ShellSession({ shell });
      const bad: readonly [Partial<StartOptions>, string][] = [
        [{ kind: 'install', manager: 'apt', request: { rows: [['x', 'amd64']] } }, 'a row is no package'],
        [{ kind: 'install', manager: 'apt', request: {} }, 'the request names no package'],
        [{ kind: 'install', manager: 'nix', request: {} }, 'there is no install by nix'],
        [{ kind: 'install', request: {} }, 'the request names no package manager'],
        [{ request: { fields: { script: '999' } } }, 'the script is malformed'],
        [{ run: '' }, 'the request names no run'],
      ];
      for (const [over, why] of bad) {
        const start = hook('r1-a-1', 'true', over);
        await assert.rejects(startJob(session, start), { code: 'command', message: new RegExp(why) });
      }
      assert.ok(!existsSync(session.base));
      for (const job of ['../x', 'A', '-x', '']) {
        await assert.rejects(startJob(session, hook(job, 'true')), { code: 'command', message: /names no job/ });
      }
    });

    test('that does not exist is absent', async () => {
      await using session = new ShellSession({ shell });
      const news = await followJob(session, 'r1-a-1', 0, { waitSec: 30, maxBytes: 10 });
      assert.deepEqual(news.status, { phase: 'absent', logBytes: 0 });
      assert.equal(news.offset, 0);
    });
  });
}
