import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { LiveEvent } from '../../../src/domain/event.ts';
import type { HostContext } from '../../../src/engine/context.ts';
import type { JobNews, StartOptions } from '../../../src/remote/jobs.ts';
import { jobOf } from '../../../src/engine/job/job-order.ts';
import { runJob } from '../../../src/engine/job/run-job.ts';
import type { JobOrder } from '../../../src/engine/job/job-order.ts';
import { FakeRemote } from '../../support/fake-machine.ts';
import { hostContext, ListSink } from '../../support/host-fixture.ts';
import { EventLog } from '../../../src/engine/event-log.ts';
import { MemoryRecord } from '../../support/memory-record.ts';
import { fakeHost, fakeMachine } from '../../support/rollout-fixture.ts';

const order: JobOrder = {
  step: 'install',
  kind: 'install',
  request: { rows: [['tool', '2']] },
  timeoutMs: 3_600_000,
};

/** A remote whose answers a test may replace one by one. */
class ScriptedRemote extends FakeRemote {
  readonly failStart: (FettleError | undefined)[] = [];
  readonly failFollow: (FettleError | undefined)[] = [];
  readonly offsets: number[] = [];

  override startJob(start: StartOptions, signal: AbortSignal): ReturnType<FakeRemote['startJob']> {
    const error = this.failStart.shift();
    return error === undefined ? super.startJob(start, signal) : Promise.reject(error);
  }

  override followJob(job: string, offset: number, options: Parameters<FakeRemote['followJob']>[2]): Promise<JobNews> {
    this.offsets.push(offset);
    const error = this.failFollow.shift();
    return error === undefined ? super.followJob(job, offset, options) : Promise.reject(error);
  }
}

function scene(overrides: Partial<HostContext> = {}) {
  const machine = fakeMachine('web1');
  const record = new MemoryRecord();
  const sink = new ListSink();
  const remote = new ScriptedRemote(fakeHost('web1'), machine);
  const context: HostContext = {
    ...hostContext({ machine, record }),
    log: new EventLog(record, sink),
    remote,
    ...overrides,
  };
  return { machine, record, sink, remote, context };
}

const lost = new FettleError('lost', 'connection lost');

test('the step and its job are committed before the job starts, and it is collected only after its result', async () => {
  const { machine, record, context } = scene();
  const seen: string[] = [];
  const remote = new (class extends ScriptedRemote {
    override startJob(start: StartOptions, signal: AbortSignal): ReturnType<FakeRemote['startJob']> {
      seen.push(`start after ${record.events.map((event) => event.type).join()}`);
      return super.startJob(start, signal);
    }

    override collectJob(job: string, signal: AbortSignal): Promise<void> {
      seen.push(`collect after ${record.events.map((event) => event.type).join()}`);
      return super.collectJob(job, signal);
    }
  })(context.host, machine);
  const end = await runJob({ ...context, remote }, order);
  assert.equal(end.kind, 'done');
  assert.deepEqual(seen, ['start after step.started', 'collect after step.started,step.finished']);
  const [finished] = record.ofType('step.finished');
  assert.equal(record.blobs.get(finished?.outputSha256 ?? '')?.toString(), 'install ran\n');
  assert.match(jobOf(context, order), /^run1-[0-9a-f]{12}-install-1$/);
});

test('a lost connection is reopened and the log read on from its offset, each byte shown once', async () => {
  const { record, sink, remote, context } = scene();
  remote.failFollow.push(undefined, lost, lost);
  const end = await runJob(context, order);
  assert.equal(end.kind, 'done');
  assert.deepEqual(remote.offsets, [0, 12, 12, 12]);
  const shown = sink.events.filter(
    (event): event is LiveEvent & { type: 'live.output' } => event.type === 'live.output',
  );
  assert.equal(shown.map((event) => event.text).join(''), 'install ran\n');
  assert.equal(record.ofType('step.finished').length, 1);
});

test('a connection that stays lost makes the job lost after the limit, and its step stays open', async () => {
  const { machine, record, remote, context } = scene();
  remote.failFollow.push(...Array.from({ length: 1_000 }, () => lost));
  const end = await runJob(context, order);
  assert.equal(end.kind, 'lost');
  assert.match(end.kind === 'lost' ? (end.error.hint ?? '') : '', /fettle run resume run1/);
  assert.ok(context.clock.elapsedMs() <= context.limits.outageMs);
  assert.equal(record.ofType('step.finished').length, 0);
  assert.equal(machine.collected, 0);
});

test('a job that was never sent is refused; one whose start may have arrived is lost', async () => {
  const never = scene();
  never.remote.failStart.push(...Array.from({ length: 1_000 }, () => new FettleError('connect', 'no route')));
  assert.equal((await runJob(never.context, order)).kind, 'refused');
  assert.equal(never.record.ofType('step.finished')[0]?.error?.code, 'connect');
  const maybe = scene();
  maybe.remote.failStart.push(lost, ...Array.from({ length: 1_000 }, () => new FettleError('connect', 'no route')));
  assert.equal((await runJob(maybe.context, order)).kind, 'lost');
});

test('a start whose answer was lost attaches when it is asked again', async () => {
  const { machine, context } = scene();
  const remote = new (class extends FakeRemote {
    #isFirst = true;

    override async startJob(start: StartOptions, signal: AbortSignal): ReturnType<FakeRemote['startJob']> {
      const status = await super.startJob(start, signal);
      if (!this.#isFirst) return status;
      this.#isFirst = false;
      throw lost;
    }
  })(context.host, machine);
  assert.equal((await runJob({ ...context, remote }, order)).kind, 'done');
  assert.equal(machine.ran.length, 1);
});

test('a job of another run on the host refuses the start', async () => {
  const { remote, record, context } = scene();
  remote.failStart.push(new FettleError('lock-held', 'run run9 has the host'));
  const end = await runJob(context, order);
  assert.equal(end.kind, 'refused');
  assert.equal(record.ofType('step.finished')[0]?.error?.code, 'lock-held');
});

test('a start whose answer cannot be parsed is settled by querying the host for its jobs', async () => {
  const nothing = scene();
  nothing.remote.failStart.push(new FettleError('command', 'the job script ended with status 2'));
  assert.equal((await runJob(nothing.context, order)).kind, 'refused');
  const started = scene();
  const job = jobOf(started.context, order);
  started.remote.failStart.push(new FettleError('parse', 'cut off'));
  started.machine.start({ job, kind: 'install', run: 'run1', controller: 'jump', fence: 1, request: order.request });
  assert.equal((await runJob(started.context, order)).kind, 'done');
  assert.equal(started.machine.ran.length, 1);
});

test('a time limit reports the job as still running and leaves it to finish', async () => {
  const { machine, record, context } = scene();
  machine.jobTicks = Number.MAX_SAFE_INTEGER;
  const end = await runJob(context, { ...order, timeoutMs: 60_000 });
  assert.equal(end.kind, 'lost');
  assert.match(end.kind === 'lost' ? end.error.message : '', /is still running after 1 min/);
  assert.equal(record.ofType('step.finished').length, 0);
  assert.equal(machine.jobs.get(jobOf(context, order))?.phase, 'running');
});

test('a detach ends at once and leaves job and step as they are', async () => {
  const detach = new AbortController();
  const { machine, record, context } = scene({ detach: detach.signal });
  machine.actions['install'] = () => {
    detach.abort(new FettleError('cancelled', 'let go'));
    return {};
  };
  assert.equal((await runJob(context, order)).kind, 'detached');
  assert.equal(record.ofType('step.finished').length, 0);
  assert.equal(machine.collected, 0);
});

test('an open step is attached to: no second step, no second start', async () => {
  const { machine, record, context } = scene();
  const job = jobOf(context, order);
  machine.start({ job, kind: 'install', run: 'run1', controller: 'jump', fence: 1, request: order.request });
  const end = await runJob(context, { ...order, open: { step: 'install', attempt: 1, job } });
  assert.equal(end.kind, 'done');
  assert.equal(machine.ran.length, 1);
  assert.deepEqual(
    record.events.map((event) => event.type),
    ['step.finished'],
  );
});

test('an open step whose job never reached the host is started under the same attempt', async () => {
  const { machine, context } = scene();
  const job = jobOf(context, order);
  const end = await runJob(context, { ...order, open: { step: 'install', attempt: 1, job } });
  assert.equal(end.kind, 'done');
  assert.deepEqual(machine.ran, [{ kind: 'install', job }]);
});

test('a claimed job that was never started is started', async () => {
  const { machine, context } = scene();
  const job = jobOf(context, order);
  const start = { job, kind: 'install', run: 'run1', controller: 'jump', fence: 1, request: order.request } as const;
  machine.jobs.set(job, { start, phase: 'claimed', log: '', result: undefined, ticks: 0 });
  const end = await runJob(context, { ...order, open: { step: 'install', attempt: 1, job } });
  assert.equal(end.kind, 'done');
  assert.equal(machine.ran.length, 1);
});

test('a crashed, an interrupted and a collected job are distinguished and collected', async () => {
  for (const phase of ['crashed', 'interrupted', 'collected'] as const) {
    const { machine, record, context } = scene();
    const job = jobOf(context, order);
    const start = { job, kind: 'install', run: 'run1', controller: 'jump', fence: 1, request: order.request } as const;
    machine.jobs.set(job, { start, phase, log: 'half\n', result: undefined, ticks: 0 });
    const end = await runJob(context, { ...order, open: { step: 'install', attempt: 1, job } });
    assert.equal(end.kind, phase);
    assert.equal(record.ofType('step.finished')[0]?.ok, phase === 'collected');
    assert.equal(machine.collected, 1);
  }
});

test('a job that cannot be collected is no failure: its result is committed', async () => {
  const { machine, record, context } = scene();
  const remote = new (class extends FakeRemote {
    override collectJob(): Promise<void> {
      return Promise.reject(lost);
    }
  })(context.host, machine);
  assert.equal((await runJob({ ...context, remote }, order)).kind, 'done');
  assert.equal(record.ofType('step.finished')[0]?.ok, true);
});

/** A host on which no process starts any more: each question ends at its own limit, and nothing else does. */
class HangingRemote extends FakeRemote {
  readonly #context: () => HostContext;
  isHanging = false;
  questions = 0;

  constructor(machine: ReturnType<typeof fakeMachine>, context: () => HostContext) {
    super(fakeHost('web1'), machine);
    this.#context = context;
  }

  override async followJob(...[job, offset, options]: Parameters<FakeRemote['followJob']>): Promise<JobNews> {
    if (!this.isHanging) return super.followJob(job, offset, options);
    this.questions += 1;
    await this.#context().clock.sleep(options.waitSec * 1_000 + 60_000);
    throw new FettleError('timeout', 'the probe took longer than its limit');
  }
}

test('a host that hangs while its connection lives is given up soon after the limit of the job', async () => {
  const { machine, context: base } = scene();
  machine.jobTicks = 1e9;
  let context = base;
  const remote = new HangingRemote(machine, () => context);
  context = { ...base, remote };
  remote.isHanging = true;
  const end = await runJob(context, { ...order, timeoutMs: 4 * 60_000 });
  assert.equal(end.kind, 'lost');
  assert.ok(remote.questions > 1);
  // One question may begin just before the limit; it ends at its own.
  assert.ok(context.clock.elapsedMs() <= 4 * 60_000 + 3 * 60_000, `${context.clock.elapsedMs()} ms`);
});

test('while a job runs an answer that cannot be used costs no more than itself, except a refusal and another host key', async () => {
  for (const code of ['command', 'parse', 'config', 'disk', 'internal', 'elevate', 'timeout'] as const) {
    const { machine, remote, context } = scene();
    remote.failFollow.push(new FettleError(code, 'powershell.exe could not start'));
    const end = await runJob(context, order);
    assert.equal(end.kind, 'done', `${code}: ${JSON.stringify(end)}`);
    assert.equal(machine.ran.length, 1);
  }
  for (const code of ['auth', 'host-key'] as const) {
    const { remote, context } = scene();
    remote.failFollow.push(new FettleError(code, 'no'));
    assert.equal((await runJob(context, order)).kind, 'lost');
    assert.equal(remote.offsets.length, 1, `${code} is not tried again`);
  }
});

test('rights that take a password are not asked for again: it would lock the account', async () => {
  const { remote, context } = scene();
  const elevation = { method: 'sudo', user: 'root', flags: [], password: new Secret('x') } as const;
  const host = { ...context.host, connection: { ...context.host.connection, elevation } };
  remote.failFollow.push(new FettleError('elevate', 'sorry, try again'));
  assert.equal((await runJob({ ...context, host }, order)).kind, 'lost');
  assert.equal(remote.offsets.length, 1);
});

test('the pauses of hosts that were cut off together differ, and the same host waits the same way in every process', async () => {
  const spent = async (name: string): Promise<number> => {
    const { remote, context } = scene();
    remote.failFollow.push(...Array.from({ length: 6 }, () => lost));
    await runJob({ ...context, host: { ...context.host, id: name } }, order);
    return context.clock.elapsedMs();
  };
  const names = ['web1', 'web2', 'web3', 'web4', 'web5', 'web6'];
  const times = await Promise.all(names.map(spent));
  assert.equal(new Set(times).size, names.length, times.join(' '));
  assert.equal(await spent('web1'), times[0]);
});
