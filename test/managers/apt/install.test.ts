import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JobResult } from '../../../src/domain/job.ts';
import type { PlannedUpdate } from '../../../src/domain/plan.ts';
import type { InstallSettings } from '../../../src/domain/playbook.ts';
import { apt } from '../../../src/managers/apt/apt.ts';
import { encodeRequest } from '../../../src/remote/launch.ts';
import type { ScriptInput } from '../../../src/remote/script.ts';
import { aPlanned } from '../../domain/fixtures.ts';

const settings: InstallSettings = {
  timeoutMs: 1,
  lockWaitMs: 90_001,
  conffile: 'take-new',
  onDrift: 'refuse-host',
  restartServices: 'never',
  maxAgeMs: 1,
};

function result(...installed: readonly string[]): JobResult {
  const lines = installed.map((line) => {
    const [name, arch, version, status] = line.split(' ');
    return [name, arch, version, status === undefined ? 'ii ' : `${status} `, name, version].join('\t');
  });
  return { exitCode: 0, verdict: 'ok', sections: { 'apt-installed': `${lines.join('\n')}\n` } };
}

function stateOf(planned: PlannedUpdate, now: JobResult, attempted: readonly PlannedUpdate[] = [planned]): string {
  return apt.readInstall(now, [planned], attempted)[0]?.state ?? '';
}

describe('the request of an install', () => {
  test('names exactly the versions, and seconds for the locks', () => {
    const updates = [aPlanned({ name: 'libc6', arch: 'amd64', to: '2:1~x+1' })];
    const encoded = (request: ScriptInput): string => encodeRequest({ verb: 'start', ...request }, 'ab');
    const line = 'v1 ab start conffile=take-new lock_wait=91 -- libc6,amd64,2:1~x+1';
    assert.equal(encoded(apt.installRequest(updates, settings)), line);
    assert.equal(encoded(apt.refreshRequest?.(1) ?? {}), 'v1 ab start lock_wait=1 --');
    assert.equal(encoded(apt.repairRequest?.(updates, settings) ?? {}), line);
  });
});

describe('what an install did is read from the package database', () => {
  const planned = aPlanned({ name: 'nginx', from: '1.0', to: '1.1' });

  const cases: readonly [state: string, installed: string][] = [
    ['installed', 'nginx amd64 1.1'],
    ['installed', 'nginx amd64 1.1 hi'],
    // Its triggers, or those of others, are still to run, dpkg(1).
    ['installed', 'nginx amd64 1.1 it'],
    ['installed', 'nginx amd64 1.1 iW'],
    ['failed', 'nginx amd64 1.0'],
    ['broken', 'nginx amd64 1.1 iF'],
    ['broken', 'nginx amd64 1.1 iU'],
    ['removed', 'nginx amd64 1.0 rc'],
    ['removed', 'other amd64 1.0'],
    ['removed', 'nginx i386 1.1'],
    ['failed', 'nginx amd64 1.2'],
  ];
  for (const [state, installed] of cases) {
    test(`"${installed}" is ${state} where 1.1 was planned`, () => {
      assert.equal(stateOf(planned, result(installed)), state);
    });
  }

  test('what stood at its version before counts as already there', () => {
    assert.equal(stateOf(planned, result('nginx amd64 1.1'), []), 'already');
  });

  test('a successor that was asked for is superseded', () => {
    assert.equal(stateOf(planned, result('nginx amd64 1.2'), [{ ...planned, to: '1.2' }]), 'superseded');
  });

  test('a new dependency that did not go in is not installed, not removed', () => {
    assert.equal(stateOf({ ...planned, from: null }, result('other amd64 1.0')), 'not-installed');
  });

  test('a good exit status is worth nothing without the list', () => {
    const empty: JobResult = { exitCode: 0, verdict: 'ok', sections: {} };
    assert.throws(() => stateOf(planned, empty), { code: 'parse' });
  });
});
