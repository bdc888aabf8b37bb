import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlannedHook } from '../../src/domain/plan.ts';
import { resumeMode, runHost } from '../../src/engine/host-run.ts';
import type { FakeMachine } from '../support/fake-machine.ts';
import { hostTask } from '../support/host-fixture.ts';
import { MemoryRecord } from '../support/memory-record.ts';
import { MortalProcess, MortalRecord } from '../support/mortal-process.ts';
import { fakeMachine, planOf } from '../support/rollout-fixture.ts';

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

async function newWorld(): Promise<World> {
  const machine = fakeMachine('web1');
  machine.needsReboot = true;
  const record = new MemoryRecord();
  await record.append([{ type: 'host.started', run: 'run1', host: 'web1', hostId: 'web1', attempt: 1 }]);
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
  const whole = await live(await newWorld(), Infinity);
  assert.ok(whole.passed.length > 60, `${whole.passed.length} points`);
  for (let killAt = 0; killAt < whole.passed.length; killAt += 1) {
    const world = await newWorld();
    const first = await live(world, killAt);
    assert.ok(first.isDead);
    await live(world, Infinity);
    assertDoneOnce(world, `killed ${first.death} (${killAt})`);
  }
});

test('killed at any point and once more on the way of the second process, the third one finishes', async () => {
  const points = (await live(await newWorld(), Infinity)).passed.length;
  for (let killAt = 0; killAt < points; killAt += 3) {
    for (let killAgainAt = killAt % 5; killAgainAt < points; killAgainAt += 7) {
      const world = await newWorld();
      const first = await live(world, killAt);
      const second = await live(world, killAgainAt);
      await live(world, Infinity);
      assertDoneOnce(world, `killed ${first.death} (${killAt}), then ${second.death ?? 'not'} (${killAgainAt})`);
    }
  }
});
