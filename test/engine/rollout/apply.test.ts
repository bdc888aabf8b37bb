import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import type { EventSink } from '../../../src/domain/event.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import { breakInstalls, FakeFleet } from '../../support/fake-fleet.ts';
import { MortalProcess, MortalRecord } from '../../support/mortal-process.ts';
import { ownOf } from '../../support/own-machine.ts';
import { budgetOf, hostPlanOf, operator, planOf } from '../../support/rollout-fixture.ts';

const three = [['a'], ['b', 'c']] as const;

function withRebootMode(plan: Plan, isWritten: boolean): Plan {
  const hosts = plan.hosts.map((item) => ({
    ...item,
    rebootSettings: { ...item.rebootSettings, mode: 'never' as const, isWritten },
  }));
  return { ...plan, hosts };
}

test('a plan goes through its waves, every host ends verified, and nothing stays leased', async () => {
  const fleet = new FakeFleet(['a', 'b', 'c']);
  const result = await fleet.apply(planOf(three));
  assert.equal(result.exitName, 'ok', result.reasons.join('; '));
  assert.deepEqual(result.counts, { verified: 3 });
  const waves = fleet.record.events.filter((event) => event.type.startsWith('wave.')).map((event) => event.type);
  assert.deepEqual(waves, ['wave.started', 'wave.finished', 'wave.started', 'wave.finished']);
  const order = fleet.record.events.flatMap((event) =>
    event.type === 'host.finished' || event.type === 'wave.started'
      ? [event.type === 'host.finished' ? event.host : event.name]
      : [],
  );
  assert.deepEqual(order.slice(0, 3), ['wave-1', 'a', 'wave-2']);
  assert.equal(fleet.record.leases.size, 0);
  assert.equal(fleet.record.ofType('run.finished')[0]?.exitCode, 0);
  const again = await fleet.apply(planOf(three));
  assert.deepEqual([again.exitName, fleet.installsOf('a')], ['ok', 1]);
});

test('a spent budget stops the rollout with exit 7, and resume finishes the rest once the hosts are repaired', async () => {
  const fleet = new FakeFleet(['a', 'bad', 'off', 'd', 'e']);
  const { repair } = breakInstalls(fleet.machine('bad'));
  fleet.machine('off').unreachable = new FettleError('connect', 'off does not answer');
  const plan = planOf([['a'], ['bad', 'off'], ['d', 'e']]);
  const result = await fleet.apply(plan);
  assert.equal(result.exitName, 'stopped');
  assert.match(result.reasons[0] ?? '', /budget of the run is spent: 1 failed, 1 unreachable; 1 allowed/);
  assert.deepEqual(result.counts, { verified: 1, failed: 1, unreachable: 1, pending: 2 });
  assert.equal(fleet.installsOf('d'), 0);
  assert.equal(fleet.record.ofType('run.stopping')[0]?.cause, 'budget');
  repair();
  fleet.machine('off').unreachable = undefined;
  const resumed = await fleet.apply(plan, { isResumed: true });
  assert.equal(resumed.exitName, 'ok', resumed.reasons.join('; '));
  assert.deepEqual(resumed.counts, { verified: 5 });
  assert.equal(fleet.installsOf('a'), 1);
});

test('what an earlier try of the run broke is repaired by a step of its own when it is tried again', async () => {
  const fleet = new FakeFleet(['bad']);
  breakInstalls(fleet.machine('bad'));
  const plan = planOf([['bad']], { budget: budgetOf(0) });
  assert.equal((await fleet.apply(plan)).exitName, 'partial');
  fleet.machine('bad').actions['repair'] = (machine) => {
    machine.broken.clear();
    return {};
  };
  const resumed = await fleet.apply(plan, { isResumed: true });
  assert.deepEqual(resumed.counts, { verified: 1 }, resumed.reasons.join('; '));
  assert.equal(fleet.installsOf('bad'), 1, 'the package was in; only its configuration was left');
  assert.deepEqual(
    fleet.record.ofType('host.started').map((event) => event.attempt),
    [1, 2],
  );
});

test('hosts in flight stop before their install when the budget is spent, others go on to their end', async () => {
  const fleet = new FakeFleet(['bad1', 'bad2', 'slow', 'queued']);
  breakInstalls(fleet.machine('bad1'));
  breakInstalls(fleet.machine('bad2'));
  fleet.machine('slow').jobTicks = 50;
  fleet.machine('slow').needsReboot = true;
  const plan = planOf([['bad1', 'bad2', 'slow', 'queued']], { concurrency: 3 });
  const result = await fleet.apply(plan);
  assert.equal(result.exitName, 'stopped');
  assert.deepEqual(result.counts, { failed: 2, verified: 1, pending: 1 });
  assert.equal(fleet.machine('slow').boots, 2, 'installed hosts are rebooted and verified all the same');
});

test('when the repository changed, every host ends drifted before the first wave, and nothing is installed', async () => {
  const fleet = new FakeFleet(['a', 'b', 'c']);
  for (const machine of fleet.machines.values()) machine.available.set('tool', '3');
  const result = await fleet.apply(planOf(three));
  assert.deepEqual(result.counts, { drifted: 3 });
  assert.equal(fleet.record.ofType('wave.started').length, 0);
  for (const name of ['a', 'b', 'c']) assert.equal(fleet.installsOf(name), 0);
});

test('a host that another run holds is left alone and named, and the run exits locked', async () => {
  const fleet = new FakeFleet(['a', 'b']);
  const holder = { ...operator, user: 'bob', controller: 'other' };
  fleet.record.leases.set('b', { run: 'run0', holder, fence: 1, expiresMs: Number.MAX_SAFE_INTEGER / 1e3 });
  const result = await fleet.apply(planOf([['a', 'b']]));
  assert.equal(result.exitName, 'locked');
  assert.match(result.outcomes.get('b')?.reason ?? '', /run run0 of bob@other/);
  assert.equal(fleet.installsOf('b'), 0);
  assert.equal(fleet.record.leases.get('b')?.run, 'run0', 'the lease of the other run is untouched');
});

test('a run that its budget stopped holds no lease, though hosts were never begun', async () => {
  const fleet = new FakeFleet(['bad', 'b', 'c']);
  breakInstalls(fleet.machine('bad'));
  const result = await fleet.apply(planOf([['bad'], ['b', 'c']], { budget: budgetOf(0) }));
  assert.deepEqual([result.exitName, result.counts], ['stopped', { failed: 1, pending: 2 }]);
  assert.deepEqual([...fleet.record.leases.keys()], []);
});

/** Another process takes the host while its job goes on here, as after this one was stopped for longer than a lease. */
function takenWhileInstalling(fleet: FakeFleet, name: string, run: string): () => void {
  const holder = { ...operator, user: 'bob', pid: operator.pid + 1 };
  const taken = { run, holder, fence: 99, expiresMs: Number.MAX_SAFE_INTEGER / 1e3 };
  fleet.machine(name).jobTicks = 300;
  fleet.machine(name).actions['install'] = (machine) => {
    machine.packages.set('tool', '2');
    fleet.record.leases.set(name, taken);
    return {};
  };
  return () => assert.deepEqual(fleet.record.leases.get(name), taken, 'the lease of the other is as it was');
}

test('a host whose lease another run took is detached at once, and its lease is not prolonged', async () => {
  const fleet = new FakeFleet(['a', 'b']);
  const isUntouched = takenWhileInstalling(fleet, 'a', 'run9');
  const result = await fleet.apply(planOf([['a', 'b']]));
  assert.deepEqual(result.counts, { detached: 1, verified: 1 });
  assert.equal(result.exitName, 'locked');
  assert.match(result.outcomes.get('a')?.reason ?? '', /lease of this host was lost: run run9 of bob@/);
  assert.equal(fleet.record.ofType('host.finished').filter((event) => event.host === 'a').length, 0);
  isUntouched();
});

test('a process whose run another one went on with writes nothing more into it', async () => {
  const fleet = new FakeFleet(['a', 'b']);
  const isUntouched = takenWhileInstalling(fleet, 'a', 'run1');
  const result = await fleet.apply(planOf([['a'], ['b']]));
  assert.deepEqual([result.exitName, result.counts], ['locked', { detached: 1, pending: 1 }]);
  for (const type of ['run.finished', 'run.detached', 'wave.finished'] as const) {
    assert.deepEqual(fleet.record.ofType(type), []);
  }
  assert.equal(fleet.installsOf('b'), 0);
  isUntouched();
});

test('nothing is started on a host whose lease was lost before the next heartbeat', async () => {
  const fleet = new FakeFleet(['a']);
  fleet.machine('a').needsReboot = true;
  const holder = { ...operator, user: 'bob', pid: operator.pid + 1 };
  fleet.machine('a').actions['install'] = (machine) => {
    machine.packages.set('tool', '2');
    fleet.record.leases.set('a', { run: 'run9', holder, fence: 99, expiresMs: Number.MAX_SAFE_INTEGER / 1e3 });
    return {};
  };
  const result = await fleet.apply(planOf([['a']]));
  assert.equal(fleet.machine('a').boots, 1, 'it is not rebooted under the other run');
  assert.deepEqual(result.counts, { detached: 1 });
});

test('a host on which a job of another run is running is left alone and named', async () => {
  const fleet = new FakeFleet(['a']);
  fleet.machine('a').claimedBy = 'run9 of far';
  const result = await fleet.apply(planOf([['a']]));
  assert.equal(result.exitName, 'locked');
  assert.match(result.outcomes.get('a')?.reason ?? '', /run run9 of far/);
});

test('a ledger that fails mid-run stops admission, leaves jobs to their hosts and exits 13', async () => {
  const fleet = new FakeFleet(['a', 'b', 'c']);
  fleet.machine('a').actions['install'] = (machine) => {
    machine.packages.set('tool', '2');
    fleet.record.broken = new FettleError('ledger', 'no space left on device');
    return {};
  };
  const result = await fleet.apply(planOf(three));
  assert.equal(result.exitName, 'ledger');
  assert.equal(result.outcomes.get('a')?.verdict, 'detached');
  assert.equal(fleet.installsOf('b') + fleet.installsOf('c'), 0);
  fleet.record.broken = undefined;
  const resumed = await fleet.apply(planOf(three), { isResumed: true });
  assert.deepEqual(resumed.counts, { verified: 3 }, resumed.reasons.join('; '));
  assert.equal(fleet.installsOf('a'), 1);
});

test('the first Ctrl-C admits nothing more and lets the hosts in flight finish', async () => {
  const fleet = new FakeFleet(['a', 'b', 'c']);
  const stop = new AbortController();
  fleet.machine('a').actions['install'] = (machine) => {
    machine.packages.set('tool', '2');
    stop.abort(new FettleError('cancelled', 'interrupted'));
    return {};
  };
  const result = await fleet.apply(planOf(three), { stop: stop.signal });
  assert.equal(result.exitName, 'interrupted');
  assert.deepEqual(result.counts, { verified: 1, pending: 2 });
  assert.equal(fleet.record.ofType('run.stopping')[0]?.cause, 'signal');
});

test('a detach leaves hosts in flight; resume attaches to the same job', async () => {
  const fleet = new FakeFleet(['a', 'b', 'c']);
  const detach = new AbortController();
  fleet.machine('a').jobTicks = 5;
  fleet.machine('a').actions['install'] = (machine) => {
    machine.packages.set('tool', '2');
    detach.abort(new FettleError('cancelled', 'let go'));
    return {};
  };
  const result = await fleet.apply(planOf(three), { stop: detach.signal, detach: detach.signal });
  assert.deepEqual([result.exitName, result.outcomes.get('a')?.verdict], ['interrupted', 'detached']);
  assert.deepEqual(fleet.record.ofType('run.detached')[0]?.hosts, ['a']);
  assert.equal(fleet.record.ofType('run.finished').length, 0);
  assert.equal(fleet.record.leases.get('a')?.run, 'run1', 'its lease stays while its job may run');
  const resumed = await fleet.apply(planOf(three), { isResumed: true });
  assert.deepEqual([resumed.exitName, fleet.installsOf('a')], ['ok', 1]);
});

test('run stop from another process is noticed by the heartbeat', async () => {
  const fleet = new FakeFleet(['a', 'b', 'c']);
  fleet.machine('a').jobTicks = 20;
  fleet.machine('a').actions['install'] = (machine) => {
    machine.packages.set('tool', '2');
    fleet.record.stopAsked.add('run1');
    return {};
  };
  const result = await fleet.apply(planOf(three));
  assert.equal(result.exitName, 'stopped');
  assert.deepEqual(result.counts, { verified: 1, pending: 2 });
});

test('two names of one machine are patched once, and a cloned machine id is reported and patched twice', async () => {
  const fleet = new FakeFleet(['a', 'alias', 'clone']);
  const facts = (name: string, machineId: string, bootId: string) => ({
    facts: { ...fleet.machine(name).scan().facts, machineId, bootId },
  });
  fleet.machine('a').scanOverrides = facts('a', 'm1', 'boot1');
  fleet.machine('alias').scanOverrides = facts('alias', 'm1', 'boot1');
  fleet.machine('clone').scanOverrides = facts('clone', 'm1', 'boot2');
  fleet.machine('alias').endpoint = fleet.machine('a').endpoint;
  const result = await fleet.apply(planOf([['a', 'alias', 'clone']]));
  assert.deepEqual(result.counts, { verified: 2, skipped: 1 });
  assert.equal(fleet.installsOf('alias'), 0);
  assert.match(result.outcomes.get('alias')?.reason ?? '', /same machine as a/);
  assert.equal(result.exitName, 'partial', 'a name that was left out is not passed over in silence');
  assert.ok(fleet.record.ofType('note').some((event) => event.message.includes('same machine id')));
});

test('a host that claims to be another one prevents no host from being patched', async () => {
  const fleet = new FakeFleet(['hostile', 'victim']);
  const { facts } = fleet.machine('victim').scan();
  fleet.machine('hostile').scanOverrides = { facts };
  const result = await fleet.apply(planOf([['hostile', 'victim']]));
  assert.deepEqual([fleet.installsOf('hostile'), fleet.installsOf('victim')], [1, 1]);
  assert.deepEqual([result.exitName, result.counts], ['ok', { verified: 2 }]);
  assert.ok(fleet.record.ofType('note').some((event) => event.message.includes('hostile, victim are not proven')));
});

test('the machine fettle runs on goes last and is not rebooted by its own run', async () => {
  const fleet = new FakeFleet(['own', 'b', 'c']);
  const own = fleet.machine('own');
  own.needsReboot = true;
  const facts = { machineId: 'own-machine', bootId: 'own-boot-1' };
  const result = await fleet.apply(planOf([['own'], ['b', 'c']]), { own: ownOf(facts, own.files) });
  assert.equal(own.boots, 1);
  assert.equal(result.outcomes.get('own')?.verdict, 'pending-reboot');
  assert.equal(result.exitName, 'unverified');
  assert.equal(fleet.record.ofType('host.finished').at(-1)?.host, 'own');
});

test('a host that only claims to be the machine fettle runs on goes in its wave and is rebooted', async () => {
  const fleet = new FakeFleet(['liar', 'b']);
  const liar = fleet.machine('liar');
  liar.needsReboot = true;
  const facts = { machineId: 'liar-machine', bootId: 'liar-boot-1' };
  const result = await fleet.apply(planOf([['liar'], ['b']]), { own: ownOf(facts, new Map()) });
  assert.equal(liar.boots, 2);
  assert.equal(result.exitName, 'ok');
  assert.equal(fleet.record.ofType('host.finished').at(0)?.host, 'liar');
  assert.ok(fleet.record.ofType('note').some((event) => event.message.includes('liar has the machine id')));
});

test('a jump host goes after the hosts behind it, whatever its wave', async () => {
  const fleet = new FakeFleet(['jump', 'b', 'c']);
  const reachedThrough = new Map([['c', ['jump']]]);
  const result = await fleet.apply(planOf([['jump'], ['b', 'c']]), { reachedThrough });
  assert.equal(result.exitName, 'ok');
  assert.equal(fleet.record.ofType('host.finished').at(-1)?.host, 'jump');
});

test('when every host refuses the credentials the run exits auth, otherwise unreachable', async () => {
  const fleet = new FakeFleet(['a', 'b']);
  const denied = new FettleError('auth', 'permission denied');
  fleet.machine('a').unreachable = denied;
  fleet.machine('b').unreachable = denied;
  const plan = planOf([['a', 'b']], { budget: budgetOf(2) });
  assert.equal((await fleet.apply(plan)).exitName, 'auth');
  const other = new FakeFleet(['a', 'b']);
  other.machine('a').unreachable = denied;
  assert.equal((await other.apply(plan)).exitName, 'unreachable');
});

test('a reboot left pending by a written mode is what was asked for; by a silent playbook it is unverified', async () => {
  for (const [isWritten, exit] of [
    [true, 'ok'],
    [false, 'unverified'],
  ] as const) {
    const fleet = new FakeFleet(['a', 'b']);
    for (const machine of fleet.machines.values()) machine.needsReboot = true;
    const result = await fleet.apply(withRebootMode(planOf([['a'], ['b']], { budget: budgetOf(0) }), isWritten));
    assert.deepEqual(result.counts, { 'pending-reboot': 2 }, 'it blocks no wave');
    assert.equal(result.exitName, exit);
  }
});

test('no more hosts reboot at once than allowed', async () => {
  const names = ['a', 'b', 'c', 'd'];
  const fleet = new FakeFleet(names);
  for (const machine of fleet.machines.values()) machine.needsReboot = true;
  const { reboot, ...plan } = planOf([names]);
  await fleet.apply({ ...plan, reboot: { ...reboot, concurrency: 1 } });
  let rebooting = 0;
  let most = 0;
  for (const event of fleet.record.events) {
    if (event.type === 'step.started' && event.step === 'reboot') most = Math.max(most, (rebooting += 1));
    if (event.type === 'step.finished' && event.step === 'reboot') rebooting -= 1;
  }
  assert.deepEqual([most, fleet.record.ofType('host.rebooted').length], [1, 4]);
});

test('a plan whose host the inventory lost is refused before anything is recorded', async () => {
  const fleet = new FakeFleet(['a']);
  const plan = planOf([['a', 'gone']]);
  await assert.rejects(() => fleet.apply(plan), { code: 'config' });
  assert.equal(fleet.record.events.length, 0);
  assert.equal(hostPlanOf('a').host, 'a');
});

test('a controller killed at any point of a rollout leaves a run that resume finishes with one install a host', async () => {
  const plan = planOf([['a'], ['b']]);
  const rollout = async (killAt: number, fleet: FakeFleet, isResumed: boolean): Promise<MortalProcess> => {
    const process = new MortalProcess(killAt);
    const call = { record: new MortalRecord(fleet.record, process), gate: process.gate, isResumed };
    // A run that could not even be recorded is thrown; everything else is a result.
    await fleet.apply(plan, call).catch(() => undefined);
    return process;
  };
  const newFleet = (): FakeFleet => {
    const fleet = new FakeFleet(['a', 'b']);
    fleet.machine('b').needsReboot = true;
    return fleet;
  };
  const points = (await rollout(Infinity, newFleet(), false)).passed.length;
  assert.ok(points > 80);
  for (let killAt = 2; killAt < points; killAt += 1) {
    const fleet = newFleet();
    const first = await rollout(killAt, fleet, false);
    await rollout(Infinity, fleet, true);
    const story = `killed ${first.death} (${killAt})`;
    const verdicts = (await fleet.record.runState('run1'))?.hosts.map((item) => item.outcome?.verdict);
    assert.deepEqual(verdicts, ['verified', 'verified'], story);
    assert.deepEqual([fleet.installsOf('a'), fleet.installsOf('b')], [1, 1], story);
    assert.equal(fleet.machine('b').boots, 2, story);
    const attempts = new Set(fleet.record.ofType('step.started').map((event) => event.attempt));
    assert.deepEqual([...attempts], [1], `${story}: a kill is no reason for a new attempt`);
    const finished = fleet.record.ofType('wave.finished').map((event) => event.wave);
    assert.deepEqual(finished, [...new Set(finished)], `${story}: a wave ends once`);
    const open = (await fleet.record.runState('run1'))?.openWave;
    assert.equal(open, undefined, `${story}: every wave that began has ended`);
  }
});

function drainHook(name: string): Plan['hooks']['after_host'][number] {
  return { name, remote: 'true', timeoutMs: 60_000, onError: 'fail-host', runs: 'always', sha256: '' };
}

test('a run that stops on its budget undrains the hosts that an earlier process drained', async () => {
  const hooks = { before_host: [drainHook('drain')], before_reboot: [], after_host: [drainHook('undrain')] };
  const plan = planOf([['a'], ['b']], { hooks, budget: budgetOf(0) });
  const fleet = new FakeFleet(['a', 'b']);
  const of = { run: 'run1', host: 'b', hostId: 'b', attempt: 1 } as const;
  fleet.machine('a').available.set('tool', '9');
  await fleet.record.append([
    { type: 'host.started', ...of },
    { type: 'step.started', ...of, step: 'before_host', name: 'drain' },
    { type: 'step.finished', ...of, step: 'before_host', name: 'drain', ok: true },
  ]);
  const result = await fleet.apply(plan, { isResumed: true });
  assert.equal(result.outcomes.get('a')?.verdict, 'drifted');
  assert.equal(result.outcomes.get('b')?.error?.code, 'cancelled', JSON.stringify(result.outcomes.get('b')));
  assert.equal(fleet.installsOf('b'), 0, 'the budget is spent');
  const hookJobs = fleet.machine('b').ran.filter((item) => item.job.includes('after-host'));
  assert.equal(hookJobs.length, 1, 'it was undrained');
  assert.equal((await fleet.record.runState('run1'))?.hosts.find((host) => host.host === 'b')?.owesAfterHooks, false);
});

test('the debt of a drained host outlives an attempt in which another run held it', async () => {
  const hooks = { before_host: [drainHook('drain')], before_reboot: [], after_host: [drainHook('undrain')] };
  const plan = planOf([['a']], { hooks });
  const fleet = new FakeFleet(['a']);
  const of = { run: 'run1', host: 'a', hostId: 'a', attempt: 1 } as const;
  await fleet.record.append([
    { type: 'host.started', ...of },
    { type: 'step.started', ...of, step: 'before_host', name: 'drain' },
  ]);
  const holder = { user: 'bob', controller: 'other', pid: 7 };
  fleet.record.leases.set('a', { run: 'run0', holder, fence: 1, expiresMs: Number.MAX_SAFE_INTEGER / 1e3 });
  assert.equal((await fleet.apply(plan, { isResumed: true })).exitName, 'locked');
  fleet.record.leases.clear();
  fleet.machine('a').available.set('tool', '9');
  assert.deepEqual((await fleet.apply(plan, { isResumed: true })).counts, { drifted: 1 });
  assert.equal(fleet.machine('a').ran.filter((item) => item.job.includes('after-host')).length, 1);
});

test('a refresh that outlasts its limit is no host out of reach, and resume reads how it ended', async () => {
  const fleet = new FakeFleet(['a', 'b']);
  fleet.machine('a').actions['refresh'] = (machine) => {
    machine.jobTicks = 1;
    return {};
  };
  fleet.machine('a').jobTicks = 1e9;
  const plan = planOf([['a'], ['b']], { budget: budgetOf(0) });
  const result = await fleet.apply(plan);
  const outcome = result.outcomes.get('a');
  assert.deepEqual([outcome?.verdict, outcome?.change, outcome?.error?.code], ['lost', 'none', 'timeout']);
  assert.match(outcome?.reason ?? '', /refresh is still running after 16 min/, 'lock_wait is a part of the limit');
  for (const job of fleet.machine('a').jobs.values()) job.ticks = 0;
  assert.deepEqual((await fleet.apply(plan, { isResumed: true })).counts, { verified: 2 });
  assert.equal(fleet.machine('a').ran.filter((item) => item.kind === 'refresh').length, 1);
});

test('before the first wave only as many hosts stay connected as go next, and the others connect again in their turn', async () => {
  const names = Array.from({ length: 9 }, (_, index) => `h${index}`);
  const fleet = new FakeFleet(names);
  const plan = planOf([names], { concurrency: 3, budget: budgetOf(0) });
  assert.deepEqual((await fleet.apply(plan)).counts, { verified: 9 });
  assert.ok(fleet.mostConnected <= 2 * 3, `${fleet.mostConnected} connections at once`);
});

test('a display that fails costs no host and no record: the run is executed, and its end reports it', async () => {
  const fleet = new FakeFleet(['a', 'b']);
  fleet.sink.event = () => {
    throw new TypeError('Cannot read properties of undefined');
  };
  const result = await fleet.apply(planOf([['a'], ['b']]));
  assert.deepEqual([result.counts, result.exitName], [{ verified: 2 }, 'internal']);
  assert.match(result.reasons[0] ?? '', /some events of the run could not be shown: Cannot read properties/);
  const recorded = fleet.record.ofType('run.finished').at(-1);
  assert.deepEqual([recorded?.exitName, recorded?.exitCode, recorded?.reasons[0]], ['internal', 1, result.reasons[0]]);
});

test('where only the end of a run cannot be shown, the last word of the record is how the process exits', async () => {
  const fleet = new FakeFleet(['a']);
  fleet.sink.event = (event) => {
    if (event.type === 'run.finished') throw new TypeError('no width');
  };
  const result = await fleet.apply(planOf([['a']]));
  assert.deepEqual([result.counts, result.exitName], [{ verified: 1 }, 'internal']);
  assert.equal(fleet.record.ofType('run.finished').at(-1)?.exitName, 'internal');
});

test('a reader of the events that stalls is waited for, but not past a detach', async () => {
  const fleet = new FakeFleet(['a', 'b']);
  const [detach, asked] = [new AbortController(), Promise.withResolvers<void>()];
  const sink: EventSink = {
    event: () => undefined,
    drained: () => {
      asked.resolve();
      return new Promise(() => undefined);
    },
  };
  const running = fleet.apply(planOf([['a'], ['b']]), { sink, detach: detach.signal });
  await asked.promise;
  assert.equal(fleet.installsOf('a') + fleet.installsOf('b'), 0);
  detach.abort(new FettleError('cancelled', 'terminated'));
  assert.equal((await running).exitName, 'interrupted');
});

test('a fault of fettle itself is not called a failure of the ledger', async () => {
  const fleet = new FakeFleet(['a']);
  fleet.record.recordedFacts = () => Promise.reject(new TypeError('x is not a function'));
  const of = { run: 'run1', host: 'a', hostId: 'a', attempt: 1 } as const;
  await fleet.record.append([{ type: 'host.started', ...of }]);
  const result = await fleet.apply(planOf([['a']]), { isResumed: true });
  assert.equal(result.exitName, 'internal');
  assert.match(result.reasons[0] ?? '', /fettle itself failed: x is not a function/);
});

test('per_source spares an update server in the checks before the first wave too', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const fleet = new FakeFleet(names);
  const plan = planOf([names], { perSource: 2 });
  const hosts = plan.hosts.map((hostPlan) => ({ ...hostPlan, source: 'http://wsus:8530' }));
  assert.deepEqual((await fleet.apply({ ...plan, hosts })).counts, { verified: 6 });
  let [now, most] = [0, 0];
  for (const event of fleet.record.events) {
    if (event.type === 'wave.started') break;
    if (event.type === 'step.started' && event.step === 'connect') now += 1;
    if (event.type === 'step.finished' && event.step === 'refresh') now -= 1;
    most = Math.max(most, now);
  }
  assert.equal(most, 2);
});

test('hosts that took no part in the plan spend no budget, and are named, counted and no ok', async () => {
  const fleet = new FakeFleet(['a', 'b']);
  const absent = (
    [
      ['off', 'unreachable'],
      ['ill', 'failed'],
      ['frozen', 'disabled'],
    ] as const
  ).map(([host, kind]) => ({
    host,
    hostId: host,
    kind,
    reason: `it is ${kind}`,
  }));
  const result = await fleet.apply(planOf([['a'], ['b']], { absent, budget: budgetOf(0) }));
  assert.deepEqual(result.counts, { verified: 2, absent: 3 });
  assert.equal(result.exitName, 'unreachable');
  assert.deepEqual(result.reasons, [
    'off: unreachable when planned: it is unreachable',
    'ill: failed when planned: it is failed',
  ]);
  const frozen = await new FakeFleet(['a']).apply(planOf([['a']], { absent: absent.slice(2) }));
  assert.equal(frozen.exitName, 'ok', 'the operator switched it off');
});

test('a plan of which every host was absent is no ok', async () => {
  const absent = [{ host: 'off', hostId: 'off', kind: 'unreachable', reason: 'no answer' }] as const;
  const result = await new FakeFleet([]).apply(planOf([], { absent }));
  assert.deepEqual([result.exitName, result.counts], ['unreachable', { absent: 1 }]);
});

test('idle hosts of a plan are counted and are no part of a share', async () => {
  const fleet = new FakeFleet(['bad', 'b']);
  breakInstalls(fleet.machine('bad'));
  const idle = Array.from({ length: 40 }, (_, index) => hostPlanOf(`idle${index}`, -1, { updates: [] }));
  const plan = planOf([['bad'], ['b']], { budget: { percent: 5, counts: ['failed'] } });
  const result = await fleet.apply({ ...plan, hosts: [...plan.hosts, ...idle] });
  assert.equal(result.exitName, 'stopped', '5 % of two hosts is none');
  assert.deepEqual(result.counts, { failed: 1, pending: 1, idle: 40 });
});
