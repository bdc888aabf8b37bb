import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import type { BootState } from '../../../src/engine/connection/host-port.ts';
import { rebootHost, rebootObstacle, rebootReasons } from '../../../src/engine/host/reboot.ts';
import { bootMark, isNew } from '../../../src/engine/host/reboot-proof.ts';
import type { RebootOrder } from '../../../src/engine/host/reboot.ts';
import { FakeRemote } from '../../support/fake-machine.ts';
import { hostContext } from '../../support/host-fixture.ts';
import { MemoryRecord } from '../../support/memory-record.ts';
import { fakeMachine } from '../../support/rollout-fixture.ts';

const order: RebootOrder = {
  settings: { goDownMs: 60_000, comeBackMs: 300_000, settleMs: 10_000 },
  bootIdBefore: 'web1-boot-1',
  reasons: ['new kernel'],
  ordinal: 1,
};

function scene() {
  const machine = fakeMachine('web1');
  const record = new MemoryRecord();
  return { machine, record, context: hostContext({ machine, record }) };
}

test('a reboot is proven by another boot id, and committed before the job is collected', async () => {
  const { machine, record, context } = scene();
  const end = await rebootHost(context, order);
  assert.equal(end.kind, 'rebooted');
  assert.equal(machine.boots, 2);
  assert.deepEqual(
    record.events.map((event) => event.type),
    ['step.started', 'host.rebooted', 'step.finished'],
  );
  assert.equal(record.ofType('step.started')[0]?.bootIdBefore, 'web1-boot-1');
  assert.equal(machine.collected, 1);
});

test('a host that reboots between two queries is proven all the same', async () => {
  const { machine, context } = scene();
  machine.rebootScript = ['back'];
  const end = await rebootHost(context, order);
  assert.deepEqual(end, { kind: 'rebooted', bootIdAfter: 'web1-boot-2', downMs: 0 });
});

test('a reboot that the host refuses is not waited for', async () => {
  const { machine, record, context } = scene();
  machine.actions['reboot'] = () => ({ exitCode: 1, verdict: 'no-initrd', message: 'the initrd of 6.2 is missing' });
  const end = await rebootHost(context, order);
  assert.match(end.kind === 'not-rebooted' ? end.error.message : '', /refuses to reboot: the initrd of 6.2 is missing/);
  assert.equal(record.ofType('step.finished')[0]?.ok, false);
  assert.equal(context.clock.elapsedMs(), 0);
});

test('a host that does not go down within its limit is not rebooted', async () => {
  const { machine, record, context } = scene();
  machine.actions['reboot'] = () => ({});
  const end = await rebootHost(context, order);
  assert.equal(end.kind, 'not-rebooted');
  assert.match(end.kind === 'not-rebooted' ? end.error.message : '', /did not reboot within 1m00s/);
  assert.equal(record.ofType('step.finished')[0]?.ok, false);
  assert.ok(context.clock.elapsedMs() <= 70_000);
});

test('a container is distinguished from its earlier boot by the start of its PID 1, however soon after its machine', () => {
  const before = bootMark({ bootId: 'of-the-machine', initStart: 900, isContainer: true });
  assert.ok(before !== undefined);
  const seen = (initStart: number) => ({ kind: 'up', isSettled: true, bootId: 'of-the-machine', initStart }) as const;
  assert.equal(isNew(seen(900), before), false);
  assert.equal(isNew(seen(70_000), before), true);
  // A machine has a boot id of its own, and that alone counts.
  const machine = bootMark({ bootId: 'own', initStart: 900, isContainer: false });
  assert.equal(machine, 'own');
  assert.equal(isNew({ ...seen(70_000), bootId: 'own' }, 'own'), false);
});

test('a host that went away and came back under one fixed boot id is not proven to have rebooted', async () => {
  const { machine, context } = scene();
  machine.rebootScript = ['up', 'down', 'down', 'up'];
  const end = await rebootHost(context, order);
  const error = end.kind === 'not-rebooted' ? end.error : undefined;
  assert.match(error?.message ?? '', /stopped answering and came back with the same boot id: no reboot is proven/);
  assert.match(error?.hint ?? '', /container has the boot id of its host machine/);
});

test('a connection that drops while the host keeps its boot id is no reboot', async () => {
  const { machine, context } = scene();
  machine.rebootScript = ['up', 'down', 'up'];
  const end = await rebootHost(context, order);
  assert.equal(end.kind, 'not-rebooted');
  assert.equal(machine.boots, 1);
});

test('a host that does not come back is lost, its step stays open, and resume proves the reboot later', async () => {
  const { machine, record, context } = scene();
  machine.rebootScript = Array.from({ length: 2_000 }, () => 'down' as const);
  const end = await rebootHost(context, order);
  assert.equal(end.kind, 'lost');
  assert.match(end.kind === 'lost' ? end.error.message : '', /did not come back within 5m00s of its reboot/);
  assert.equal(record.ofType('step.finished').length, 0);
  machine.lookScript = ['back'];
  const job = record.ofType('step.started')[0]?.job;
  const open = {
    step: 'reboot',
    attempt: 1,
    bootIdBefore: 'web1-boot-1',
    ...(job === undefined ? {} : { job }),
  } as const;
  const later = await rebootHost(context, { ...order, open });
  assert.equal(later.kind, 'rebooted');
  assert.equal(machine.ran.length, 1, 'the reboot was asked for once');
});

test('resume where the controller died before the reboot was asked for asks now', async () => {
  const { machine, context } = scene();
  const open = { step: 'reboot', attempt: 1, job: 'run1-x-reboot-1-1', bootIdBefore: 'web1-boot-1' } as const;
  const end = await rebootHost(context, { ...order, open });
  assert.equal(end.kind, 'rebooted');
  assert.deepEqual(machine.ran, [{ kind: 'reboot', job: 'run1-x-reboot-1-1' }]);
});

test('an answer without a boot id proves nothing', async () => {
  const { machine, context } = scene();
  const remote = new (class extends FakeRemote {
    #looks = 0;

    override bootState(signal: AbortSignal): Promise<BootState> {
      this.#looks += 1;
      return this.#looks < 4 ? Promise.resolve({ isSettled: true }) : super.bootState(signal);
    }
  })(context.host, machine);
  const end = await rebootHost({ ...context, remote }, order);
  assert.deepEqual(end.kind === 'rebooted' && end.bootIdAfter, 'web1-boot-2');
});

test('another host key after the reboot stops at once with that error', async () => {
  const { machine, context } = scene();
  let isDown = false;
  const remote = new (class extends FakeRemote {
    override bootState(): Promise<BootState> {
      const code = isDown ? 'host-key' : 'connect';
      isDown = true;
      return Promise.reject(new FettleError(code, 'host key changed'));
    }
  })(context.host, machine);
  const end = await rebootHost({ ...context, remote }, order);
  assert.equal(end.kind, 'lost');
  assert.equal(end.kind === 'lost' ? end.error.code : '', 'host-key');
  assert.ok(context.clock.elapsedMs() < 60_000);
});

test('logins refused while the host starts are waited for, refused for good they end it', async () => {
  const { machine, context } = scene();
  let denials = 5;
  const patient = new (class extends FakeRemote {
    override bootState(signal: AbortSignal): Promise<BootState> {
      denials -= 1;
      return denials >= 0 ? Promise.reject(new FettleError('auth', 'system is booting up')) : super.bootState(signal);
    }
  })(context.host, machine);
  assert.equal((await rebootHost({ ...context, remote: patient }, order)).kind, 'rebooted');
  const other = scene();
  const denied = new (class extends FakeRemote {
    override bootState(): Promise<BootState> {
      return Promise.reject(new FettleError('auth', 'permission denied'));
    }
  })(other.context.host, other.machine);
  const end = await rebootHost({ ...other.context, remote: denied }, order);
  assert.equal(end.kind === 'lost' ? end.error.code : '', 'auth');
});

test('a running package manager and a missing initrd prevent a reboot', () => {
  const scan = fakeMachine('web1').scan();
  assert.equal(rebootObstacle(scan), undefined);
  assert.equal(rebootObstacle({ ...scan, running: [{ name: 'apt-get', pid: 7 }] })?.code, 'lock-held');
  const problems = [{ code: 'initrd-missing', message: 'no initrd for 6.2' }];
  assert.match(rebootObstacle({ ...scan, problems })?.message ?? '', /no initrd for 6.2/);
});

test('a container ignores kernel reasons and keeps its others', () => {
  const scan = fakeMachine('web1').scan();
  const reboot = { needed: 'yes', reasons: ['kernel 6.2 is installed, 6.1 runs'], runningKernel: '6.1' } as const;
  const inContainer = { ...scan, reboot, facts: { ...scan.facts, isContainer: true } };
  assert.equal(rebootReasons(inContainer).needed, 'no');
  const more = { ...inContainer, reboot: { ...reboot, reasons: [...reboot.reasons, 'libc6 asked for it'] } };
  assert.deepEqual(rebootReasons(more), { needed: 'yes', reasons: ['libc6 asked for it'] });
  assert.equal(rebootReasons({ ...scan, reboot }).needed, 'yes');
});
