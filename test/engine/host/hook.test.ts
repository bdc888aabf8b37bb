import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlannedHook } from '../../../src/domain/plan.ts';
import type { HookWhen } from '../../../src/domain/playbook.ts';
import { hookArguments, runHook } from '../../../src/engine/host/hook.ts';
import { hostContext } from '../../support/host-fixture.ts';
import { MemoryRecord } from '../../support/memory-record.ts';
import { fakeMachine } from '../../support/rollout-fixture.ts';

function hook(more: Partial<PlannedHook>): PlannedHook {
  return { name: 'drain', timeoutMs: 30_000, onError: 'fail-host', runs: 'always', sha256: '', ...more };
}

function scene(machineName = 'web1') {
  const machine = fakeMachine(machineName);
  const record = new MemoryRecord();
  return { machine, record, context: hostContext({ machine, record }) };
}

const when: HookWhen = 'before_host';

function outputOf(record: MemoryRecord): string {
  const sha256 = record.ofType('step.finished')[0]?.outputSha256;
  return sha256 === undefined ? '' : (record.blobs.get(sha256)?.toString() ?? '');
}

test('a local hook gets its arguments without a shell and a minimal environment', async () => {
  const { record, context } = scene();
  const script = 'console.log(JSON.stringify([process.argv.slice(1), process.env]))';
  const argv = [process.execPath, '-e', script, '--', '{{host}}; echo hacked', '$HOME'];
  const end = await runHook(context, { when, hook: hook({ local: argv }), index: 0, environment: { EXTRA: 'x' } });
  assert.equal(end.kind, 'ok');
  const [args, environment] = JSON.parse(outputOf(record)) as [string[], Record<string, string>];
  assert.deepEqual(args, ['web1; echo hacked', '$HOME']);
  assert.deepEqual(environment, { EXTRA: 'x', FETTLE_HOST: 'web1', FETTLE_RUN: 'run1', FETTLE_HOOK: 'before_host' });
});

test('the host name is put in as it is, whatever replacement patterns it holds', () => {
  assert.deepEqual(hookArguments(['a-{{host}}-{{host}}', 'b'], '$&$1'), ['a-$&$1-$&$1', 'b']);
});

test('a local hook that fails is fatal or not by its own on_error', async () => {
  for (const onError of ['fail-host', 'warn'] as const) {
    const { record, context } = scene();
    const local = [process.execPath, '-e', 'process.exit(3)'];
    const end = await runHook(context, { when, hook: hook({ local, onError }), index: 0 });
    assert.equal(end.kind, 'failed');
    assert.equal(end.kind === 'failed' && end.isFatal, onError === 'fail-host');
    assert.equal(record.ofType('step.finished')[0]?.exitCode, 3);
    assert.match(end.kind === 'failed' ? end.error.message : '', /hook drain \(before_host\) failed: exit 3/);
  }
});

test('a local hook that does not end is ended at its time limit, its children with it', async () => {
  const { context } = scene();
  const local = ['/bin/sh', '-c', 'sleep 600 & wait'];
  const end = await runHook(context, { when, hook: hook({ local, timeoutMs: 100 }), index: 0 });
  assert.match(end.kind === 'failed' ? end.error.message : '', /no end after 0.1 s/);
});

test('a local hook whose program does not exist fails with that reason', async () => {
  const { context } = scene();
  const end = await runHook(context, { when, hook: hook({ local: ['/nonexistent/drain'] }), index: 0 });
  assert.match(end.kind === 'failed' ? end.error.message : '', /ENOENT/);
});

test('a detach ends a local hook and leaves its step open, so that it runs again', async () => {
  const { record, machine } = scene();
  const detach = new AbortController();
  const context = hostContext({ machine, record, detach: detach.signal });
  const running = runHook(context, { when, hook: hook({ local: ['/bin/sleep', '600'] }), index: 0 });
  detach.abort(new Error('let go'));
  assert.equal((await running).kind, 'detached');
  assert.equal(record.ofType('step.finished').length, 0);
});

test('a remote hook is a job of its own, named after its kind and place', async () => {
  const { machine, record, context } = scene();
  const end = await runHook(context, { when: 'before_reboot', hook: hook({ remote: 'echo hi' }), index: 1 });
  assert.equal(end.kind, 'ok');
  assert.match(machine.ran[0]?.job ?? '', /^run1-[0-9a-f]{12}-before-reboot-2-1$/);
  assert.ok((machine.ran[0]?.job.length ?? 99) <= 64);
  assert.equal(record.ofType('step.started')[0]?.name, 'drain');
  assert.equal(outputOf(record), 'hook ran\n');
});

test('a remote hook that fails reports its exit code', async () => {
  const { machine, context } = scene();
  machine.actions['hook'] = () => ({ exitCode: 7, verdict: 'failed', message: 'exit 7' });
  const end = await runHook(context, { when, hook: hook({ remote: 'exit 7' }), index: 0 });
  assert.match(end.kind === 'failed' ? end.error.message : '', /exit 7/);
});

test('a remote hook travels as data in the alphabet of requests', async () => {
  const { machine, context } = scene();
  let script: string | number | undefined;
  machine.actions['hook'] = (_self, { request }) => {
    script = request.fields?.['script'];
    return {};
  };
  await runHook(context, { when, hook: hook({ remote: 'echo "$(id)"; é' }), index: 0 });
  assert.match(String(script), /^([0-3][0-7]{2})+$/);
});

test('a remote hook that outlives its time limit has failed and is left to end', async () => {
  const { machine, record, context } = scene();
  machine.jobTicks = Number.MAX_SAFE_INTEGER;
  const end = await runHook(context, { when, hook: hook({ remote: 'sleep 900' }), index: 0 });
  assert.match(end.kind === 'failed' ? end.error.message : '', /is still running after 30 s/);
  assert.equal(record.ofType('step.finished')[0]?.ok, false);
});
