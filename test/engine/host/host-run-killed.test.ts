import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlannedHook } from '../../../src/domain/plan.ts';
import { FettleError } from '../../../src/domain/error.ts';
import { checkHost, resumeMode, runHost } from '../../../src/engine/host/host-run.ts';
import type { FakeMachine } from '../../support/fake-machine.ts';
import { begunRecord, hostTask } from '../../support/host-fixture.ts';
import type { MemoryRecord } from '../../support/memory-record.ts';
import { MortalProcess, MortalRecord } from '../../support/mortal-process.ts';
import { fakeMachine, planOf } from '../../support/rollout-fixture.ts';

function hook(name: string): PlannedHook {
  return { name, remote: 'true', timeoutMs: 1_000, onError: 'fail-host', runs: 'always', sha256: '' };
}

const plan = planOf([['web1']], {
  hooks: { before_host: [hook('drain')], before_reboot: [hook('silence')], after_host: [hook('undrain')] },
});

interface World {
  readonly machine: FakeMachine;
  readonly record: MemoryRecord;
}

function newWorld(): World {
  const machine = fakeMachine('web1');
  machine.needsReboot = true;
  const record = begunRecord('web1');
  return { machine, record };
}

/** One process takes the host from where the record says it stands; answers the process when it was over. */
async function live({ machine, record }: World, killAt: number): Promise<MortalProcess> {
  const process = new MortalProcess(killAt);
  const state = (await record.runState('run1'))?.hosts[0];
  if (state !== undefined && resumeMode(state) === 'done') return process;
  assert.notEqual(
    state === undefined ? undefined : resumeMode(state),
    'retry',
    'a kill is no reason for a new attempt',
  );
  const mortal = new MortalRecord(record, process);
  await runHost(await hostTask({ machine, record: mortal, gate: process.gate, plan, state }));
  return process;
}

/** What a resumed run does with the host: a check before the first wave where it is not in flight, then the way through. */
async function resume({ machine, record }: World): Promise<void> {
  const state = (await record.runState('run1'))?.hosts[0];
  if (state === undefined || resumeMode(state) === 'done') return;
  const attempt = resumeMode(state) === 'retry' ? state.attempt + 1 : state.attempt;
  if (attempt > state.attempt) {
    await record.append([{ type: 'host.started', run: 'run1', host: 'web1', hostId: 'web1', attempt }]);
  }
  const task = await hostTask({ machine, record, plan, state, attempt });
  const { outcome } = await checkHost(task);
  if (outcome === undefined) await runHost(await hostTask({ machine, record, plan, state, attempt }));
}

/** Hooks that ran on the machine, each name once for every job. */
function hooksOf(machine: FakeMachine): { drained: boolean; undrained: boolean } {
  const jobs = machine.ran.filter((item) => item.kind === 'hook').map((item) => item.job);
  return {
    drained: jobs.some((job) => job.includes('before-host')),
    undrained: jobs.some((job) => job.includes('after-host')),
  };
}

const bad: Readonly<Record<string, (machine: FakeMachine) => void>> = {
  drifted: (machine) => machine.available.set('tool', '9').delete('other'),
  'short of disk': (machine) => {
    machine.scanOverrides = { disks: [{ mount: '/', freeBytes: 1 }] };
  },
  unreachable: (machine) => {
    machine.unreachable = new FettleError('connect', 'no route to host');
  },
  refusing: (machine) => {
    machine.unreachable = new FettleError('auth', 'permission denied');
  },
};

function recover(machine: FakeMachine): void {
  machine.unreachable = undefined;
  machine.scanOverrides = {};
  machine.available.set('tool', '2');
}

for (const [name, spoil] of Object.entries(bad)) {
  test(`killed at any point and resumed into a host that is ${name}: what was drained is undrained in the end`, async () => {
    const { passed } = await live(newWorld(), Infinity);
    let debts = 0;
    for (let killAt = 0; killAt < passed.length; killAt += 1) {
      const world = newWorld();
      const { machine, record } = world;
      const first = await live(world, killAt);
      const story = `killed ${first.death} (${killAt})`;
      spoil(machine);
      await resume(world);
      const { drained } = hooksOf(machine);
      const outcome = record.ofType('host.finished').at(-1)?.outcome;
      // Whoever is away cannot be undrained yet; it is told, and the debt stands.
      if (machine.unreachable !== undefined && drained && outcome?.verdict === 'unreachable') {
        assert.equal(outcome.owesHooks, true, story);
        assert.match(outcome.reason, /hooks still to run: undrain/, story);
        debts += 1;
      }
      if (machine.unreachable === undefined && drained) assert.ok(hooksOf(machine).undrained, story);
      recover(machine);
      await resume(world);
      await resume(world);
      assert.equal(hooksOf(machine).undrained, true, `${story}: ${JSON.stringify(record.ofType('host.finished'))}`);
      assert.equal((await record.runState('run1'))?.hosts[0]?.owesAfterHooks, false, story);
    }
    assert.equal(debts > 0, ['unreachable', 'refusing'].includes(name), `${debts} debts`);
  });
}

function assertDoneOnce({ machine, record }: World, story: string): void {
  const outcome = record.ofType('host.finished').at(-1)?.outcome;
  assert.equal(outcome?.verdict, 'verified', `${story}: ${JSON.stringify(outcome)}`);
  assert.equal(outcome.change, 'installed', story);
  const ran = machine.ran.map((item) => item.kind);
  assert.equal(ran.filter((kind) => kind === 'install').length, 1, `${story}: installs`);
  assert.equal(ran.filter((kind) => kind === 'hook').length, 3, `${story}: hooks`);
  assert.equal(machine.boots, 2, `${story}: boots`);
  assert.equal(record.ofType('host.rebooted').length, 1, `${story}: recorded reboots`);
  const jobs = [...machine.jobs].filter(([, job]) => job.start.kind === 'install' && job.phase !== 'collected');
  assert.deepEqual(jobs, [], `${story}: the install job was not collected`);
}

test('killed at any single point, the next process brings the host to verified with one install and one reboot', async () => {
  const whole = await live(newWorld(), Infinity);
  assert.ok(whole.passed.length > 60, `${whole.passed.length} points`);
  for (let killAt = 0; killAt < whole.passed.length; killAt += 1) {
    const world = newWorld();
    const first = await live(world, killAt);
    assert.ok(first.isDead);
    await live(world, Infinity);
    assertDoneOnce(world, `killed ${first.death} (${killAt})`);
  }
});

test('killed at any point and once more on the way of the second process, the third one finishes', async () => {
  const points = (await live(newWorld(), Infinity)).passed.length;
  for (let killAt = 0; killAt < points; killAt += 3) {
    for (let killAgainAt = killAt % 5; killAgainAt < points; killAgainAt += 7) {
      const world = newWorld();
      const first = await live(world, killAt);
      const second = await live(world, killAgainAt);
      await live(world, Infinity);
      assertDoneOnce(world, `killed ${first.death} (${killAt}), then ${second.death ?? 'not'} (${killAgainAt})`);
    }
  }
});
