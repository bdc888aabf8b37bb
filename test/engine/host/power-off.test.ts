import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import type { Outcome } from '../../../src/domain/outcome.ts';
import type { RebootSettings } from '../../../src/domain/playbook.ts';
import { callOffShutdowns } from '../../../src/engine/fleet/cancel-shutdown.ts';
import { runHost } from '../../../src/engine/host/host-run.ts';
import { FakeRemote } from '../../support/fake-machine.ts';
import { begunRecord, hostContext, hostTask } from '../../support/host-fixture.ts';
import type { HostFixture } from '../../support/host-fixture.ts';
import { fakeHost, fakeMachine, hostPlanOf, planOf } from '../../support/rollout-fixture.ts';

const { rebootSettings } = hostPlanOf('web1');
const down = Array.from({ length: 2_000 }, () => 'down' as const);

function scene(settings: Partial<RebootSettings> = {}) {
  const machine = fakeMachine('web1');
  machine.rebootScript = ['up', ...down];
  const record = begunRecord('web1');
  const hostPlan = {
    updates: [],
    rebootSettings: { ...rebootSettings, mode: 'always', power: 'off', ...settings },
  } as const;
  const run = async (more: Partial<HostFixture> = {}): Promise<Outcome> =>
    runHost(await hostTask({ machine, record, hostPlan, ...more }));
  return { machine, record, run };
}

test('a host that goes away and stays away is off, and nothing more is asked of it', async () => {
  const { machine, record, run } = scene();
  const outcome = await run();
  assert.equal(outcome.verdict, 'verified', outcome.reason);
  assert.match(outcome.reason, /^off: .* did not answer for 20 s$/);
  assert.equal(machine.lookScript.length > 1_900, true);
  assert.deepEqual(machine.jobs.values().next().value?.start.request.fields, { power: 'off' });
  assert.deepEqual(record.ofType('step.finished').at(-1)?.name, 'power off');
  assert.equal(record.ofType('host.finished').length, 1);
});

test('a host that stays up, or comes back, is not off', async () => {
  const { machine, run } = scene();
  machine.rebootScript = ['up', 'down', 'down', 'up'];
  const stayed = await run();
  assert.equal(stayed.verdict, 'failed');
  assert.match(stayed.reason, /still powered on: the host did not go down within 1m/);
  assert.match(stayed.hint ?? '', /systemd-inhibit/);
  const other = scene();
  other.machine.rebootScript = ['up', 'down', 'back'];
  assert.match((await other.run()).reason, /it rebooted/);
});

test('a login that is refused is no silence', async () => {
  const { machine, run } = scene();
  machine.rebootScript = ['up'];
  machine.actions['reboot'] = (self) => {
    queueMicrotask(() => (self.unreachable = new FettleError('auth', 'refused')));
    return {};
  };
  const outcome = await run();
  assert.equal(outcome.verdict, 'failed', outcome.reason);
});

test('a host whose variables set never is left on', async () => {
  const { machine, run } = scene();
  const outcome = await run({ patch: { reboot: 'never' } });
  assert.deepEqual([outcome.verdict, outcome.error, machine.ran], ['skipped', undefined, []]);
});

test('a host to which somebody is logged on is left alone where that was asked for', async () => {
  for (const power of ['off', undefined] as const) {
    const { power: _off, ...settings } = { ...rebootSettings, mode: 'always', ifIdle: true, power } as const;
    const { machine, record, run } = scene();
    machine.actions['reboot'] = () => ({ exitCode: 1, verdict: 'in-use', message: 'logged on: ada on tty1' });
    const own = power === undefined ? settings : { ...settings, power };
    const outcome = await run({ hostPlan: { updates: [], rebootSettings: own } });
    assert.equal(outcome.verdict, 'skipped');
    assert.match(outcome.reason, /logged on: ada on tty1/);
    assert.equal(outcome.error, undefined);
    assert.equal(machine.boots, 1);
    assert.equal(machine.jobs.values().next().value?.start.request.fields?.['idle'], 'yes');
    assert.equal(record.ofType('host.rebooted').length, 0);
  }
});

test('what waits for a reboot behind somebody who is logged on follows from the mode', async () => {
  const { machine, run } = scene();
  machine.needsReboot = true;
  machine.actions['reboot'] = () => ({ exitCode: 1, verdict: 'in-use', message: 'logged on: ada on tty1' });
  const settings = { ...rebootSettings, ifIdle: true } as const;
  const outcome = await run({ hostPlan: { updates: [], rebootSettings: settings } });
  assert.deepEqual([outcome.verdict, outcome.followsFromMode], ['pending-reboot', true]);
  assert.match(outcome.reason, /not rebooted: logged on: ada on tty1/);
});

test('one that was patched and left on has that reason, and hooks after it run as after any good end', async () => {
  for (const [updates, change] of [[undefined, 'installed'] as const, [[], 'none'] as const]) {
    const { machine, record, run } = scene();
    machine.actions['reboot'] = () => ({ exitCode: 1, verdict: 'in-use', message: 'logged on: ada on tty1' });
    const hook = {
      name: 'undrain',
      remote: 'true',
      timeoutMs: 1_000,
      onError: 'warn',
      runs: 'on-success',
      sha256: '',
    } as const;
    const plan = planOf([['web1']], { hooks: { before_host: [], before_reboot: [], after_host: [hook] } });
    const settings = { ...rebootSettings, mode: 'always', ifIdle: true } as const;
    const outcome = await run({
      plan,
      hostPlan: { rebootSettings: settings, ...(updates === undefined ? {} : { updates }) },
    });
    assert.deepEqual([outcome.verdict, outcome.change], [change === 'none' ? 'skipped' : 'verified', change]);
    assert.match(outcome.reason, /; not rebooted: logged on: ada on tty1$/);
    assert.ok(record.ofType('step.finished').some((event) => event.name === 'undrain'));
  }
});

test('another process that takes the run up proves the shutdown without starting it again', async () => {
  const { machine, record, run } = scene();
  const detach = new AbortController();
  const gate = (point: string): void => {
    if (point === 'after followJob') detach.abort();
  };
  assert.equal((await run({ gate, detach: detach.signal })).verdict, 'detached');
  const state = (await record.runState('run1'))?.hosts[0];
  machine.unreachable = new FettleError('connect', 'refused');
  const outcome = await run({ state });
  assert.equal(outcome.verdict, 'verified', outcome.reason);
  assert.equal(machine.ran.length, 1);
});

test('cancelling a shutdown is one job without a scan, and reports what it found', async () => {
  const { machine, record } = scene();
  machine.actions['reboot'] = () => ({ message: 'called off: poweroff' });
  const context = hostContext({ machine, record });
  const outcomes: Outcome[] = [];
  await callOffShutdowns([fakeHost('web1')], {
    context,
    remote: (host) => new FakeRemote(host, machine),
    concurrency: 1,
    onResult: (_host, outcome) => outcomes.push(outcome),
  });
  assert.deepEqual(outcomes, [{ verdict: 'verified', change: 'none', reason: 'called off: poweroff' }]);
  assert.deepEqual(machine.jobs.values().next().value?.start.request.fields, { power: 'cancel' });
  assert.equal(record.ofType('host.scanned').length, 0);
  assert.equal(
    (await record.acquireLeases({ run: 'r2', holder: context.operator, hostIds: ['web1'], nowMs: 0, expiresMs: 1 }))
      .taken.length,
    1,
  );
});

test('after a stop nothing more is called off, and the host counts as left alone', async () => {
  const { machine, record } = scene();
  const stop = new AbortController();
  stop.abort(new FettleError('cancelled', 'interrupted'));
  const outcomes: Outcome[] = [];
  await callOffShutdowns([fakeHost('web1')], {
    context: hostContext({ machine, record, stop: stop.signal }),
    remote: (host) => new FakeRemote(host, machine),
    concurrency: 1,
    onResult: (_host, outcome) => outcomes.push(outcome),
  });
  assert.deepEqual([outcomes[0]?.verdict, outcomes[0]?.error?.code, machine.ran], ['skipped', 'cancelled', []]);
});
