// Detached jobs on a simulated Windows host: the real scripts in the real engine, its Task Scheduler a double.
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { JobPhase } from '../../src/domain/job.ts';
import { collectJob, followJob, startJob, sweepJobs } from '../../src/remote/jobs.ts';
import type { JobNews, StartOptions } from '../../src/remote/jobs.ts';
import { runScript, toOctal } from '../../src/remote/launch.ts';
import { jobScript } from '../../src/remote/scripts.ts';
import { eventually } from '../support/eventually.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { createWindowsHost } from '../support/windows/host.ts';
import type { WindowsHost } from '../support/windows/host.ts';
import { WindowsSession } from '../support/windows/session.ts';

function hook(job: string, script: string, over: Partial<StartOptions> = {}): StartOptions {
  const request = { fields: { script: toOctal(script) } };
  return { job, kind: 'hook', run: 'R1', controller: 'jump host 1', fence: 1, request, ...over };
}

/** Waits until somebody makes the file. */
function until(gate: string): string {
  return `while (-not [IO.File]::Exists('${gate}')) { [Threading.Thread]::Sleep(50) }`;
}

async function ended(session: WindowsSession, job: string): Promise<JobNews> {
  let [offset, log] = [0, Buffer.alloc(0)];
  for (;;) {
    const news = await followJob(session, job, offset, { waitSec: 10, maxBytes: 1024 * 1024 });
    offset = news.offset;
    log = Buffer.concat([log, news.log]);
    if (!['running', 'claimed'].includes(news.status.phase) && news.log.length === 0) return { ...news, log };
  }
}

async function phaseOf(session: WindowsSession, job: string): Promise<JobPhase> {
  return (await followJob(session, job, 0, { waitSec: 0, maxBytes: 1 })).status.phase;
}

async function claimOnly(session: WindowsSession, start: StartOptions): Promise<void> {
  const { job, kind, run, fence, request } = start;
  const fields = { ...request.fields, job, kind, run, controller: 'one', fence, only: 'claim' };
  await runScript(session, jobScript(), { verb: 'start', fields });
}

const base = (host: WindowsHost): string => join(host.directory, 'c', 'Program Files', 'fettle');
const oldBase = (host: WindowsHost): string => join(host.directory, 'c', 'ProgramData', 'fettle');
const fileOf = (host: WindowsHost, job: string, file: string): string => join(base(host), 'jobs', job, file);

describe('a job on Windows', { skip: skipWithoutDotnet }, () => {
  test('runs to its end as a task of SYSTEM, and gives log and result; its files and its task go when it is collected', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const status = await startJob(session, hook('r1-a-1', "'one'; [Console]::Error.WriteLine('two'); exit 3"));
    assert.ok(['running', 'done'].includes(status.phase), status.phase);
    const { log, result, status: last } = await ended(session, 'r1-a-1');
    assert.deepEqual(log.toString().split(/\r?\n/), ['one', 'two', '']);
    assert.equal(last.logBytes, log.length);
    assert.match(last.bootId ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.equal(result?.exitCode, 3);
    assert.equal(result.verdict, 'failed');
    assert.match(result.message ?? '', /status 3/);
    assert.ok((result.endedMs ?? 0) >= (result.startedMs ?? Infinity));
    const { 'fettle-r1-a-1': task } = host.model().tasks;
    assert.equal(task?.definition.principal['userId'], 'S-1-5-18');
    await collectJob(session, 'r1-a-1');
    assert.deepEqual(Object.keys(host.model().tasks), []);
    assert.deepEqual(readdirSync(join(base(host), 'jobs')), []);
    assert.equal(await phaseOf(session, 'r1-a-1'), 'collected');
    assert.equal((await startJob(session, hook('r1-a-1', "'again'"))).phase, 'collected');
  });

  test('sets every setting of its task whose default would end or delay it', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    await startJob(session, hook('r1-a-1', "'x'"));
    const settings = host.model().tasks['fettle-r1-a-1']?.definition.settings ?? {};
    const wanted = {
      disallowStartIfOnBatteries: false,
      stopIfGoingOnBatteries: false,
      executionTimeLimit: 'PT0S',
      multipleInstances: 2,
      priority: 5,
      runOnlyIfIdle: false,
      runOnlyIfNetworkAvailable: false,
      startWhenAvailable: false,
      wakeToRun: false,
    };
    for (const [name, value] of Object.entries(wanted)) assert.equal(settings[name], value, name);
    await ended(session, 'r1-a-1');
  });

  test('takes any text as its script and finds an empty input', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const script = `[Console]::In.ReadToEnd().Length\n'$(x) "\u00e9\u20ac" '' %PATH% ^& | \\ \`y'\nparam\n'end'`;
    await startJob(session, hook('r1-a-1', script.replace('param\n', '')));
    const { log } = await ended(session, 'r1-a-1');
    assert.deepEqual(log.toString().split('\r\n'), ['0', `$(x) "\u00e9\u20ac" ' %PATH% ^& | \\ \`y`, 'end', '']);
  });

  test('is read on from any offset, inside of a character too', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    await startJob(session, hook('r1-a-1', "[Console]::Out.Write('0123\u00e9\u20ac')"));
    await ended(session, 'r1-a-1');
    const whole = Buffer.from('0123\u00e9\u20ac');
    const { log, offset } = await followJob(session, 'r1-a-1', 2, { waitSec: 0, maxBytes: 3 });
    assert.deepEqual(log, whole.subarray(2, 5));
    assert.equal(offset, 5);
    assert.equal((await followJob(session, 'r1-a-1', 99, { waitSec: 0, maxBytes: 3 })).log.length, 0);
  });

  test('shows its output while it runs, keeps other runs out, and names who has the host', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const gate = join(host.directory, 'gate');
    await startJob(session, hook('r1-a-1', `'begun'; ${until(gate)}`));
    let news = await followJob(session, 'r1-a-1', 0, { waitSec: 30, maxBytes: 100 });
    // A new note is news too.
    await eventually(async () => {
      if (news.log.length === 0) news = await followJob(session, 'r1-a-1', 0, { waitSec: 30, maxBytes: 100 });
      return news.log.length > 0;
    }, 'the job prints');
    assert.equal(news.log.toString(), 'begun\r\n');
    assert.equal(news.status.phase, 'running');
    assert.equal(news.status.note, 'running the script');
    const heartbeat = fileOf(host, 'r1-a-1', 'heartbeat');
    await eventually(() => existsSync(heartbeat) && /^\d+$/.test(readFileSync(heartbeat, 'utf8')), 'the heart beats');
    const other = hook('r2-a-1', "'other'", { run: 'R2' });
    await assert.rejects(startJob(session, other), {
      code: 'lock-held',
      message: /R1 from jump_host_1/,
      details: { run: 'R1', job: 'r1-a-1', controller: 'jump_host_1' },
    });
    assert.equal(await phaseOf(session, 'r2-a-1'), 'absent');
    await assert.rejects(collectJob(session, 'r1-a-1'), { code: 'lock-held', message: /still running/ });
    const beside = hook('r1-b-1', "'beside a hook'", { fence: 2 });
    await startJob(session, beside);
    assert.equal((await ended(session, 'r1-b-1')).result?.verdict, 'ok');
    writeFileSync(gate, '');
    await ended(session, 'r1-a-1');
    await startJob(session, other);
    assert.equal((await ended(session, 'r2-a-1')).result?.verdict, 'ok');
  });

  test('is started once however many ask at once', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const count = join(host.directory, 'count');
    const start = hook('r1-a-1', `[IO.File]::AppendAllText('${count}', 'x')`);
    const all = await Promise.all([1, 2, 3].map(() => startJob(session, start)));
    assert.ok(all.every((status) => status.phase !== 'absent'));
    await ended(session, 'r1-a-1');
    assert.equal((await startJob(session, start)).phase, 'done');
    assert.equal(readFileSync(count, 'utf8'), 'x');
  });

  test('lets one of several runs in, never two', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const gate = join(host.directory, 'gate');
    const asked = await Promise.allSettled(
      [1, 2, 3].map((n) => startJob(session, hook(`r${n}-a-1`, until(gate), { run: `R${n}` }))),
    );
    assert.equal(asked.filter((item) => item.status === 'fulfilled').length, 1);
    writeFileSync(gate, '');
    const [winner = '', ...more] = readdirSync(join(base(host), 'jobs'));
    assert.deepEqual(more, []);
    await ended(session, winner);
  });

  test('claimed by a controller that died is started by the next one that asks', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const start = hook('r1-a-1', "'ran'");
    await claimOnly(session, start);
    assert.equal(await phaseOf(session, 'r1-a-1'), 'claimed');
    await assert.rejects(startJob(session, hook('r2-a-1', "'x'", { run: 'R2' })), { code: 'lock-held' });
    await startJob(session, { ...start, controller: 'two', fence: 2 });
    assert.equal((await ended(session, 'r1-a-1')).log.toString(), 'ran\r\n');
  });

  test('claimed in an earlier boot and never started blocks no run', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    await claimOnly(session, hook('r1-a-1', "'x'"));
    await host.reboot();
    await startJob(session, hook('r2-a-1', "'x'", { run: 'R2' }));
    assert.equal((await ended(session, 'r2-a-1')).result?.verdict, 'ok');
  });

  test('of an older lease of the same run is refused', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    await startJob(session, hook('r1-a-1', "'x'", { fence: 7 }));
    await ended(session, 'r1-a-1');
    await assert.rejects(startJob(session, hook('r1-b-1', "'x'", { fence: 6 })), { code: 'lock-held' });
    assert.notEqual((await startJob(session, hook('r1-b-1', "'x'", { fence: 8 }))).phase, 'absent');
    await ended(session, 'r1-b-1');
  });

  test('over which the host rebooted is interrupted, one whose process is gone is crashed; neither starts again', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const start = hook('r1-a-1', until(join(host.directory, 'gate')));
    await startJob(session, start);
    await host.reboot();
    assert.equal(await phaseOf(session, 'r1-a-1'), 'interrupted');
    assert.equal((await startJob(session, start)).phase, 'interrupted');
    await startJob(session, hook('r1-b-1', "'x'"));
    await ended(session, 'r1-b-1');
    rmSync(fileOf(host, 'r1-b-1', 'result'));
    // The process may outlive its result by a moment.
    await eventually(async () => (await phaseOf(session, 'r1-b-1')) === 'crashed', 'the process is gone');
    assert.equal((await startJob(session, hook('r1-b-1', "'x'"))).phase, 'crashed');
  });

  test('that floods its output keeps the first megabytes and runs on to its end', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const done = join(host.directory, 'done');
    const flood = `$b = [byte[]]@(120) * 65536; $o = [Console]::OpenStandardOutput(); for ($i = 0; $i -lt 200; $i++) { $o.Write($b, 0, 65536) }`;
    await startJob(session, hook('r1-a-1', `${flood}; [IO.File]::WriteAllText('${done}', 'end')`));
    const { log, result } = await ended(session, 'r1-a-1');
    assert.equal(result?.verdict, 'ok');
    assert.equal(readFileSync(done, 'utf8'), 'end');
    assert.equal(log.subarray(0, 8 * 1024 * 1024).filter((byte) => byte !== 0x78).length, 0);
    assert.match(log.subarray(8 * 1024 * 1024).toString(), /^\n\[fettle: the log ends here/);
  });

  test('is not put into a tree that somebody else made, that is a link or that others can write to', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const start = hook('r1-a-1', "'x'");
    symlinkSync(host.directory, base(host));
    await assert.rejects(startJob(session, start), { code: 'disk', message: /is a link or not a directory/ });
    rmSync(base(host));
    mkdirSync(base(host));
    for (const sddl of [
      'O:S-1-5-21-1-2-3-1001G:DUD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)',
      'O:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;BU)',
      'O:BAG:BAD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;0x1200a9;;;BU)',
    ]) {
      await host.change((model) => {
        model.acls[base(host)] = sddl;
      });
      await assert.rejects(startJob(session, start), { code: 'disk', message: /belongs to somebody else|by others/ });
    }
    assert.deepEqual(readdirSync(base(host)), []);
  });

  test('runs where a user has taken its old name, and takes over what is its own there when no job is left', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const foreign = 'O:S-1-5-21-1-2-3-1001G:DUD:AI(A;OICIID;FA;;;SY)(A;OICI;FA;;;S-1-5-21-1-2-3-1001)';
    const ours = 'O:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)';
    mkdirSync(join(oldBase(host), 'jobs', 'r0-a-1'), { recursive: true });
    await host.change((model) => {
      model.acls[oldBase(host)] = foreign;
    });
    await startJob(session, hook('r1-a-1', "'x'"));
    assert.equal((await ended(session, 'r1-a-1')).result?.verdict, 'ok');
    assert.deepEqual(readdirSync(join(oldBase(host), 'jobs')), ['r0-a-1']);

    await using older = createWindowsHost();
    const other = new WindowsSession(older);
    const job = join(oldBase(older), 'jobs', 'r0-a-1');
    mkdirSync(join(job, 'started'), { recursive: true });
    writeFileSync(join(job, 'started', 'state'), '1 1 an-earlier-boot\n');
    await older.change((model) => {
      model.acls[oldBase(older)] = ours;
    });
    assert.equal(await phaseOf(other, 'r0-a-1'), 'interrupted');
    await collectJob(other, 'r0-a-1');
    assert.equal(await phaseOf(other, 'r0-a-1'), 'collected');
    assert.deepEqual([existsSync(oldBase(older)), existsSync(join(base(older), 'collected', 'r0-a-1'))], [false, true]);
  });

  for (const file of ['script', 'request']) {
    test(`does not run a ${file} that was changed after its task was made, with that error`, async () => {
      await using host = createWindowsHost();
      const gate = join(host.directory, 'gate');
      await host.change((model) => {
        model.taskGate = gate;
      });
      const session = new WindowsSession(host);
      const proof = join(host.directory, 'proof');
      const started = startJob(session, hook('r1-a-1', "'x'"));
      started.catch(() => undefined);
      await eventually(() => host.model().tasks['fettle-r1-a-1']?.state === 2, 'the task is queued');
      const path = fileOf(host, 'r1-a-1', file);
      const evil = `[IO.File]::WriteAllText('${proof}', 'ran as SYSTEM')\n`;
      writeFileSync(path, file === 'script' ? `param($a, $b)\n${evil}` : `${readFileSync(path, 'utf8')} more`);
      writeFileSync(gate, '');
      await assert.rejects(started, {
        code: 'command',
        message: new RegExp(`could not run the job: 0x[0-9A-F]{8} ${file} was changed after the task was made`),
      });
      assert.ok(!existsSync(proof));
      assert.equal(await phaseOf(session, 'r1-a-1'), 'absent');
    });
  }

  test('is refused where its request is malformed, before anything is claimed', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const bad: readonly [Partial<StartOptions>, string][] = [
      [{ kind: 'install', manager: 'chocolatey', request: {} }, 'there is nothing to install'],
      [{ kind: 'install', request: { rows: [['git', '1.0']] } }, 'the request names no package manager'],
      [{ kind: 'refresh', request: {} }, 'the request names no package manager'],
      [{ kind: 'restart', request: { rows: [['W*']] } }, 'a row is no service'],
      [{ kind: 'restart', request: { rows: [['a', 'b']] } }, 'a row is no service'],
      [{ kind: 'defragment' as StartOptions['kind'] }, 'no job of kind defragment'],
      [{ request: { fields: { script: '999' } } }, 'the script is malformed'],
      [{ run: '' }, 'the request names no run'],
    ];
    for (const [over, why] of bad) {
      const start = hook('r1-a-1', "'x'", over);
      await assert.rejects(startJob(session, start), { code: 'command', message: new RegExp(why) });
    }
    for (const job of ['../x', 'A', '-x', '']) {
      await assert.rejects(startJob(session, hook(job, "'x'")), { code: 'command', message: /names no job/ });
    }
    assert.ok(!existsSync(join(base(host), 'jobs')));
  });

  test('leaves nothing where its task cannot be started, and the reason is reported', async () => {
    await using host = createWindowsHost({ model: { taskFault: '0x80070569' } });
    const session = new WindowsSession(host);
    await assert.rejects(startJob(session, hook('r1-a-1', "'x'")), { code: 'command', message: /0x80070569/ });
    assert.equal(await phaseOf(session, 'r1-a-1'), 'absent');
  });

  test('is refused to an account without administrator rights, with an error that names what it lacks', async () => {
    const account = { name: 'WIN01\\clerk', sid: 'S-1-5-21-1-2-3-1001', isAdministrator: false };
    await using host = createWindowsHost({ model: { account } });
    const session = new WindowsSession(host);
    await assert.rejects(startJob(session, hook('r1-a-1', "'x'")), {
      code: 'elevate',
      message: /clerk has no administrator rights/,
      hint: /LocalAccountTokenFilterPolicy/,
    });
  });

  test('restarts the requested services, but none that sessions or the job itself hang on', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const request = { rows: [['Spooler'], ['WinRM'], ['NoSuchService']] };
    await startJob(session, { ...hook('r1-a-1', ''), kind: 'restart', request });
    const { log, result } = await ended(session, 'r1-a-1');
    assert.match(log.toString(), /^restarting Spooler\nleft alone: WinRM\nrestarting NoSuchService\nNoSuchService: /);
    assert.deepEqual([result?.verdict, result?.exitCode], ['failed', 1]);
    assert.equal(result?.message, 'not restarted: NoSuchService');
  });

  test('that does not exist is absent', async () => {
    await using host = createWindowsHost();
    const news = await followJob(new WindowsSession(host), 'r1-a-1', 0, { waitSec: 30, maxBytes: 10 });
    assert.deepEqual(news.status, { phase: 'absent', logBytes: 0 });
    assert.equal(news.offset, 0);
  });

  test('that was abandoned is swept after a week, its task too; those of the run only when it is done', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    for (const job of ['r1-a-1', 'r2-a-1', 'r3-a-1']) {
      await startJob(session, hook(job, "'x'", { run: job.slice(0, 2).toUpperCase() }));
      await ended(session, job);
    }
    const longAgo = new Date(Date.now() - 8 * 86_400_000);
    utimesSync(join(base(host), 'jobs', 'r2-a-1'), longAgo, longAgo);
    assert.deepEqual(await sweepJobs(session, { run: 'R1', isDone: false }), ['r2-a-1']);
    assert.deepEqual(await sweepJobs(session, { run: 'R1', isDone: true }), ['r1-a-1']);
    assert.deepEqual(Object.keys(host.model().tasks), ['fettle-r3-a-1']);
    assert.equal(await phaseOf(session, 'r2-a-1'), 'collected');
    assert.equal(existsSync(join(base(host), 'active')), true, 'the record of the job that was started last');
    assert.deepEqual(await sweepJobs(session, { run: 'R3', isDone: true }), ['r3-a-1']);
    assert.equal(existsSync(join(base(host), 'active')), false);
  });
});
