import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import { execOnHosts } from '../../../src/engine/fleet/exec.ts';
import type { ExecOutcome } from '../../../src/engine/fleet/exec.ts';
import { fanOutExit } from '../../../src/engine/fleet/exit.ts';
import { pingHosts, pingWarnings } from '../../../src/engine/fleet/ping.ts';
import type { PingResult } from '../../../src/engine/fleet/ping.ts';
import { verifyHosts } from '../../../src/engine/fleet/verify.ts';
import { rebootPlan } from '../../../src/engine/plan/power-plan.ts';
import { FakeFleet } from '../../support/fake-fleet.ts';
import { noOwnMachine } from '../../support/own-machine.ts';
import { FakeRemote } from '../../support/fake-machine.ts';
import { hostContext } from '../../support/host-fixture.ts';
import { fakeHost, fakeMachine, planOf } from '../../support/rollout-fixture.ts';

function scene(names: readonly string[], stop = new AbortController().signal) {
  const fleet = new FakeFleet(names);
  const context = hostContext({ machine: fakeMachine('none'), record: fleet.record, stop });
  const remote = (host: ReturnType<typeof fakeHost>): FakeRemote => new FakeRemote(host, fleet.machine(host.name));
  return { fleet, hosts: names.map((name) => fakeHost(name)), fan: { context, remote, concurrency: 2 } };
}

test('exec runs on every host, records output as a step, and one that is away does not hold up the rest', async () => {
  const { fleet, hosts, fan } = scene(['a', 'b', 'c']);
  fleet.machine('b').unreachable = new FettleError('connect', 'no route to b');
  const results: ExecOutcome[] = [];
  const onResult = (result: ExecOutcome): number => results.push(result);
  await execOnHosts(hosts, { ...fan, command: 'hostname', timeoutMs: 1_000, outputLimitBytes: 100, onResult });
  const told = results.map(
    (result) => `${result.host.name} ${'error' in result ? result.error.code : result.stdout.toString()}`,
  );
  assert.deepEqual(told.toSorted(), ['a a', 'b connect', 'c c']);
  const steps = fleet.record.ofType('step.finished').filter((event) => event.ok);
  assert.deepEqual(steps.map((event) => String(fleet.record.blobs.get(event.outputSha256 ?? ''))).toSorted(), [
    'a',
    'c',
  ]);
  assert.equal(fleet.record.ofType('host.finished')[0]?.outcome.verdict, 'unreachable');
  assert.equal(
    fanOutExit(results.map((result) => ('error' in result ? { error: result.error } : result))),
    'unreachable',
  );
});

test('after a stop no further host is begun', async () => {
  const stop = new AbortController();
  stop.abort(new FettleError('cancelled', 'interrupted'));
  const { hosts, fan } = scene(['a', 'b'], stop.signal);
  const results: ExecOutcome[] = [];
  const onResult = (result: ExecOutcome): number => results.push(result);
  await execOnHosts(hosts, { ...fan, command: 'true', timeoutMs: 1_000, outputLimitBytes: 1, onResult });
  assert.deepEqual(
    results.map((result) => 'error' in result && result.error.code),
    ['cancelled', 'cancelled'],
  );
});

test('a ledger that cannot be written ends an exec with its error', async () => {
  const { fleet, hosts, fan } = scene(['a']);
  fleet.record.broken = new FettleError('ledger', 'no space');
  const call = { ...fan, command: 'true', timeoutMs: 1_000, outputLimitBytes: 1, onResult: () => undefined };
  await assert.rejects(() => execOnHosts(hosts, call), { code: 'ledger' });
});

test('ping changes and records nothing, and names what would prevent work', async () => {
  const { fleet, hosts, fan } = scene(['a']);
  const facts = { ...fleet.machine('a').scan().facts, clockSkewMs: 3_600_000 };
  fleet.machine('a').scanOverrides = {
    facts,
    running: [{ name: 'apt-get', pid: 12 }],
    disks: [{ mount: '/boot', freeBytes: 1 }],
    privileges: { user: 'ada', isRoot: false },
  };
  const results: PingResult[] = [];
  await pingHosts(hosts, { ...fan, onResult: (result) => results.push(result) });
  const [result] = results;
  assert.ok(result !== undefined && 'summary' in result);
  assert.deepEqual(result.warnings, pingWarnings(result.summary));
  assert.deepEqual(result.warnings, [
    'ada is not root and no elevation is set',
    'apt-get (pid 12) is changing packages',
    "its clock is 3600 s ahead of the controller's: check the time service of both",
    '/boot is nearly full',
  ]);
  assert.equal(fleet.record.events.length, 0);
});

test('verify holds a host against the plan of a run and what that run recorded, and changes nothing', async () => {
  const { fleet, hosts, fan } = scene(['a']);
  const plan = planOf([['a']]);
  await fleet.apply(plan);
  const ran = fleet.machine('a').ran.length;
  const verdicts: string[] = [];
  const call = {
    ...fan,
    plan,
    recorded: (hostId: string) => fleet.record.recordedFacts('run1', hostId),
    own: noOwnMachine,
    onResult: (_host: unknown, outcome: { verdict: string }) => verdicts.push(outcome.verdict),
  };
  await verifyHosts(hosts, call);
  fleet.machine('a').packages.set('tool', '1');
  await verifyHosts(hosts, call);
  assert.deepEqual(verdicts, ['verified', 'unhealthy']);
  assert.equal(fleet.machine('a').ran.length, ran);
});

test('a stand-alone reboot goes one host at a time and stops at the first that fails', async () => {
  const fleet = new FakeFleet(['a', 'b', 'c']);
  fleet.machine('b').actions['reboot'] = () => ({});
  const { install, verify, reboot } = planOf([['a']]);
  const plan = rebootPlan({
    id: 'r',
    name: 'reboot',
    hosts: ['a', 'b', 'c'].map((name) => fakeHost(name)),
    settings: { ...reboot, mode: 'always' },
    install,
    verify,
    concurrency: 1,
    maxFailures: 0,
    createdMs: 0,
    fettleVersion: '0',
    select: 'all',
    seed: 1,
    via: new Map([['c', ['a']]]),
  });
  assert.deepEqual(
    plan.hosts.map(({ via }) => via),
    [undefined, undefined, ['a']],
  );
  const result = await fleet.apply(plan);
  assert.equal(result.exitName, 'stopped');
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => fleet.machine(name).boots),
    [2, 1, 1],
  );
  assert.deepEqual(result.counts, { verified: 1, 'pending-reboot': 1, pending: 1 });
});

test('the exit of a fan-out distinguishes failed, unreached, and refused everywhere', () => {
  const auth = new FettleError('auth', 'denied');
  assert.equal(fanOutExit([{ exitCode: 0 }]), 'ok');
  assert.equal(fanOutExit([{ exitCode: 0 }, { exitCode: 2 }]), 'partial');
  assert.equal(fanOutExit([{ exitCode: 0 }, { error: new FettleError('connect', '') }]), 'unreachable');
  assert.equal(fanOutExit([{ exitCode: 2 }, { error: new FettleError('lock-held', '') }]), 'locked');
  assert.equal(fanOutExit([{ error: auth }, { error: auth }]), 'auth');
  assert.equal(fanOutExit([{ error: auth }, { exitCode: 0 }]), 'unreachable');
});
