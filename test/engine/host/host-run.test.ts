import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import type { Outcome, Verdict } from '../../../src/domain/outcome.ts';
import type { Plan, PlannedHook } from '../../../src/domain/plan.ts';
import type { HostRunState } from '../../../src/domain/record.ts';
import { resumeMode, runHost } from '../../../src/engine/host/host-run.ts';
import { restartableUnits } from '../../../src/engine/host/restart.ts';
import { begunRecord, hostTask } from '../../support/host-fixture.ts';
import type { HostFixture } from '../../support/host-fixture.ts';
import type { MemoryRecord } from '../../support/memory-record.ts';
import { fakeMachine, hostPlanOf, planned, planOf } from '../../support/rollout-fixture.ts';

function scene() {
  const machine = fakeMachine('web1');
  const record = begunRecord('web1');
  const run = async (more: Partial<HostFixture> = {}): Promise<Outcome> =>
    runHost(await hostTask({ machine, record, ...more }));
  return { machine, record, run };
}

function stepsOf(record: MemoryRecord): string[] {
  return record.ofType('step.finished').map((event) => `${event.step}${event.ok ? '' : ' failed'}`);
}

function ranOf(machine: ReturnType<typeof fakeMachine>): string[] {
  return machine.ran.map((item) => item.kind);
}

function withInstall(more: Partial<Plan['install']>, hosts = [hostPlanOf('web1')]): Plan {
  const plan = planOf([['web1']]);
  return { ...plan, hosts, install: { ...plan.install, ...more } };
}

function hook(name: string, more: Partial<PlannedHook> = {}): PlannedHook {
  return { name, remote: 'true', timeoutMs: 1_000, onError: 'fail-host', runs: 'always', sha256: '', ...more };
}

test('a host goes through every step, is rebooted when it needs it, and ends verified', async () => {
  const { machine, record, run } = scene();
  machine.needsReboot = true;
  const outcome = await run();
  assert.equal(outcome.verdict, 'verified', outcome.reason);
  assert.equal(outcome.change, 'installed');
  assert.deepEqual(stepsOf(record), ['connect', 'preflight', 'refresh', 'install', 'reboot', 'verify']);
  const [reboot] = record.ofType('host.rebooted');
  assert.equal(reboot?.bootIdBefore, 'web1-boot-1');
  assert.equal(reboot.bootIdAfter, 'web1-boot-2');
  assert.ok(reboot.downMs > 0);
});

test('the results are committed together with the end of the install', async () => {
  const { record, run } = scene();
  await run();
  const index = record.events.findIndex((event) => event.type === 'update.finished');
  const next = record.events[index + 1];
  assert.equal(next?.type === 'step.finished' && next.step, 'install');
  assert.equal(record.ofType('update.finished')[0]?.results[0]?.state, 'installed');
});

test('what is already there at the planned version counts as done, without a job', async () => {
  const { machine, record, run } = scene();
  machine.packages.set('tool', '2');
  const outcome = await run();
  assert.deepEqual([outcome.verdict, outcome.change], ['verified', 'none']);
  assert.deepEqual(ranOf(machine), ['refresh']);
  assert.equal(record.ofType('update.finished')[0]?.results[0]?.state, 'already');
});

test('a planned version that has left the repository is drift, and nothing is installed', async () => {
  const { machine, run } = scene();
  machine.available.set('tool', '3');
  const outcome = await run();
  assert.deepEqual([outcome.verdict, outcome.change, outcome.error?.code], ['drifted', 'none', 'drifted']);
  assert.deepEqual(ranOf(machine), ['refresh']);
});

test('on_drift skip-package installs the rest, and supersede takes the successor of the same origin', async () => {
  const hosts = [hostPlanOf('web1', 0, { updates: [planned('tool'), planned('lib')] })];
  for (const onDrift of ['skip-package', 'supersede'] as const) {
    const { machine, record, run } = scene();
    machine.packages.set('lib', '1');
    machine.available.set('lib', '2').set('tool', '3');
    const outcome = await run({ plan: withInstall({ onDrift }, hosts) });
    const expected = onDrift === 'supersede' ? '3' : '1';
    assert.deepEqual([machine.packages.get('lib'), machine.packages.get('tool')], ['2', expected]);
    assert.equal(outcome.verdict, 'verified', outcome.reason);
    assert.ok(record.ofType('note').some((event) => event.message.includes('(on_drift: ')));
  }
});

test('an install that fails ends failed with what is true on the host, and the host is scanned again', async () => {
  const { machine, record, run } = scene();
  machine.actions['install'] = (self) => {
    self.packages.set('tool', '2');
    self.broken.add('tool');
    return { exitCode: 100, verdict: 'failed', message: 'postinst ended with 1' };
  };
  const outcome = await run();
  assert.deepEqual([outcome.verdict, outcome.change], ['failed', 'partial']);
  assert.match(outcome.reason, /tool is at 2 \(broken\): postinst ended with 1/);
  assert.equal(record.ofType('update.finished')[0]?.results[0]?.state, 'broken');
  assert.equal(record.ofType('host.scanned').at(-1)?.purpose, 'after');
});

test('an exit code of the package manager is not believed when the packages are in', async () => {
  const { machine, run } = scene();
  machine.actions['install'] = (self) => {
    self.packages.set('tool', '2');
    return { exitCode: 100, verdict: 'failed' };
  };
  assert.equal((await run()).verdict, 'verified');
});

test('a crashed install is repaired by a step of its own and judged by the package database', async () => {
  const { machine, record, run } = scene();
  machine.actions['install'] = (self) => {
    self.packages.set('tool', '2');
    self.broken.add('tool');
    return 'crash';
  };
  machine.actions['repair'] = (self) => {
    self.broken.clear();
    return {};
  };
  const outcome = await run();
  assert.deepEqual([outcome.verdict, outcome.change], ['verified', 'installed'], outcome.reason);
  assert.deepEqual(stepsOf(record).slice(2, 5), ['refresh', 'install failed', 'repair']);
  assert.equal(ranOf(machine).filter((kind) => kind === 'install').length, 1);
});

test('the refusal of the job itself is reported by its word', async () => {
  for (const [verdict, expected, code] of [
    ['drift', 'drifted', 'drifted'],
    ['locked', 'failed', 'lock-held'],
    ['disk', 'failed', 'disk'],
  ] as const) {
    const { machine, run } = scene();
    machine.actions['install'] = () => ({ exitCode: 0, verdict, message: 'why' });
    const outcome = await run();
    assert.deepEqual([outcome.verdict, outcome.change, outcome.error?.code], [expected, 'none', code]);
  }
});

test('packages that were broken before are left alone: the host is refused and not repaired', async () => {
  const { machine, run } = scene();
  machine.broken.add('tool');
  const outcome = await run();
  assert.equal(outcome.verdict, 'failed');
  assert.match(outcome.reason, /packages were already broken: tool/);
  assert.deepEqual(ranOf(machine), []);
});

test('a full disk, a lack of rights and a switch in its variables end a host before anything is begun', async () => {
  const { machine, run } = scene();
  const disks = [
    { mount: '/', freeBytes: 1e10 },
    { mount: '/var', freeBytes: 1e6 },
  ];
  machine.scanOverrides = { disks };
  assert.match((await run()).reason, /not enough space on \/var: 1 MiB free/);
  machine.scanOverrides = { disks: [{ mount: '/', freeBytes: 1e10, freeInodes: 10 }] };
  assert.match((await run()).reason, /10 inodes free/);
  machine.scanOverrides = { problems: [{ code: 'disk', message: 'the system drive is full', isBlocking: true }] };
  const full = await run();
  assert.deepEqual([full.verdict, full.error?.code], ['failed', 'disk']);
  assert.match(full.reason, /it cannot be patched: the system drive is full/);
  machine.scanOverrides = { privileges: { user: 'ada', isRoot: false } };
  assert.equal((await run()).error?.code, 'elevate');
  machine.scanOverrides = {};
  const off = await run({ patch: { enabled: false, disabledReason: 'migration' } });
  assert.deepEqual([off.verdict, off.error], ['skipped', undefined]);
  assert.match(off.reason, /migration/);
  const later = await run({ patch: { disabledUntilMs: 4e12 } });
  assert.match(later.reason, /patch_disabled_until/);
  assert.deepEqual(ranOf(machine), []);
});

test('a host that does not answer is unreachable before anything was begun and lost afterwards', async () => {
  const before = scene();
  before.machine.unreachable = new FettleError('connect', 'no route to host');
  const unreachable = await before.run();
  assert.deepEqual([unreachable.verdict, unreachable.change], ['unreachable', 'none']);
  const after = scene();
  after.machine.actions['install'] = (self) => {
    self.packages.set('tool', '2');
    self.unreachable = new FettleError('lost', 'connection lost');
    return {};
  };
  const lost = await after.run();
  assert.deepEqual([lost.verdict, lost.change], ['lost', 'unknown']);
  assert.equal(after.record.ofType('host.finished')[0]?.outcome.verdict, 'lost');
  after.machine.unreachable = undefined;
  const state = (await after.record.runState('run1'))?.hosts[0];
  const resumed = await after.run({ state });
  assert.deepEqual([resumed.verdict, resumed.change], ['verified', 'installed'], resumed.reason);
  assert.equal(ranOf(after.machine).filter((kind) => kind === 'install').length, 1);
});

test('reboot never leaves a pending reboot that follows from the mode, and patch_reboot never wins over the plan', async () => {
  const never = { ...hostPlanOf('web1').rebootSettings, mode: 'never' } as const;
  for (const more of [{ hostPlan: { rebootSettings: never } }, { patch: { reboot: 'never' } }] as const) {
    const { machine, run } = scene();
    machine.needsReboot = true;
    const outcome = await run(more);
    assert.equal(outcome.verdict, 'pending-reboot');
    assert.equal(machine.boots, 1);
    if ('hostPlan' in more) assert.equal(outcome.followsFromMode, true);
  }
});

test('mode always reboots once, a host that still asks afterwards is not rebooted more often than allowed', async () => {
  const always = scene();
  const rebootSettings = { ...hostPlanOf('web1').rebootSettings, mode: 'always', max: 3 } as const;
  assert.equal((await always.run({ hostPlan: { rebootSettings } })).verdict, 'verified');
  assert.equal(always.machine.boots, 2);
  const stubborn = scene();
  const reboot = { needed: 'yes', reasons: ['always asks'], runningKernel: '6.1' } as const;
  stubborn.machine.scanOverrides = { reboot };
  const max2 = { ...hostPlanOf('web1').rebootSettings, max: 2 };
  const outcome = await stubborn.run({ hostPlan: { rebootSettings: max2 } });
  assert.equal(outcome.verdict, 'pending-reboot');
  assert.equal(stubborn.machine.boots, 3);
});

test('stale services are restarted where the plan asks for it, and never those that end sessions', async () => {
  const { machine, run } = scene();
  const { health } = machine.scan();
  const units = [
    'nginx.service',
    'dbus.service',
    'systemd-logind.service',
    'gdm3.service',
    'user@0.service',
    'a\\x2d.service',
  ];
  const staleProcesses = units.map((unit, pid) => ({ pid, name: unit, unit }));
  machine.scanOverrides = { health: { ...health, staleProcesses } };
  assert.deepEqual(restartableUnits(machine.scan()), ['a\\x2d.service', 'nginx.service']);
  machine.actions['restart'] = (self, { request }) => {
    assert.deepEqual(request.rows, [['a\\x2d.service'], ['nginx.service']]);
    self.scanOverrides = {};
    return {};
  };
  const outcome = await run({ plan: withInstall({ restartServices: 'stale' }) });
  assert.equal(outcome.verdict, 'verified', outcome.reason);
  assert.ok(ranOf(machine).includes('restart'));
});

test('services left on replaced code are pending-restart, not verified', async () => {
  const { machine, run } = scene();
  const { health } = machine.scan();
  const staleProcesses = [{ pid: 1, name: 'nginx', unit: 'nginx.service' }];
  machine.scanOverrides = { health: { ...health, staleProcesses } };
  assert.equal((await run()).verdict, 'pending-restart');
});

test('a unit that failed afterwards is checked again, and makes the host unhealthy when it stays', async () => {
  const { machine, record, run } = scene();
  machine.actions['install'] = (self) => {
    self.packages.set('tool', '2');
    self.scanOverrides = { health: { ...self.scan().health, failedUnits: ['web.service'] } };
    return {};
  };
  const outcome = await run();
  assert.deepEqual([outcome.verdict, outcome.change], ['unhealthy', 'installed']);
  const scans = record.ofType('host.scanned').filter((event) => event.purpose === 'after');
  assert.equal(scans.length, 2);
});

test('a stop before the install leaves the host as it is, with the hooks after it run', async () => {
  const { machine, record, run } = scene();
  const stop = new AbortController();
  machine.actions['hook'] = () => {
    stop.abort();
    return {};
  };
  const hooks = { before_host: [hook('drain')], before_reboot: [], after_host: [hook('undrain')] };
  const outcome = await run({ stop: stop.signal, plan: planOf([['web1']], { hooks }) });
  assert.deepEqual([outcome.verdict, outcome.change, outcome.error?.code], ['skipped', 'none', 'cancelled']);
  assert.deepEqual(ranOf(machine), ['refresh', 'hook', 'hook']);
  assert.equal(record.ofType('host.finished').length, 1);
});

test('a failing hook before the host ends it; hooks after it run always or on success, as set', async () => {
  const { machine, record, run } = scene();
  machine.actions['hook'] = (_self, { job }) => (job.includes('before-host') ? { exitCode: 1, verdict: 'failed' } : {});
  const hooks = {
    before_host: [hook('drain')],
    before_reboot: [],
    after_host: [hook('announce', { runs: 'on-success' }), hook('undrain')],
  };
  const outcome = await run({ plan: planOf([['web1']], { hooks }) });
  assert.deepEqual([outcome.verdict, outcome.change], ['failed', 'none']);
  const names = record.ofType('step.finished').flatMap((event) => (event.name === undefined ? [] : [event.name]));
  assert.deepEqual(names, ['apt', 'drain', 'undrain']);
});

test('a failing hook after a good host makes it unhealthy', async () => {
  const { machine, run } = scene();
  machine.actions['hook'] = () => ({ exitCode: 1, verdict: 'failed' });
  const hooks = { before_host: [], before_reboot: [], after_host: [hook('undrain')] };
  const outcome = await run({ plan: planOf([['web1']], { hooks }) });
  assert.deepEqual([outcome.verdict, outcome.change], ['unhealthy', 'installed']);
});

test('what resume does with a host follows from its outcome', () => {
  const base = { host: 'a', hostId: 'a', attempt: 1, doneSteps: [], openSteps: [], reboots: 0 };
  const of = (verdict: Verdict, more: Partial<Outcome> = {}): HostRunState => ({
    ...base,
    outcome: { verdict, change: 'none', reason: '', ...more },
  });
  const cancelled = { error: { code: 'cancelled', message: '' } } as const;
  assert.equal(resumeMode({ ...base, attempt: 0 }), 'start');
  assert.equal(resumeMode(base), 'continue');
  for (const verdict of ['lost', 'detached'] as const) assert.equal(resumeMode(of(verdict)), 'continue');
  for (const verdict of ['verified', 'skipped'] as const) assert.equal(resumeMode(of(verdict)), 'done');
  for (const verdict of ['failed', 'unreachable', 'drifted', 'unhealthy', 'pending-reboot'] as const) {
    assert.equal(resumeMode(of(verdict)), 'retry');
  }
  assert.equal(resumeMode(of('skipped', cancelled)), 'retry');
  assert.equal(resumeMode(of('pending-reboot', { followsFromMode: true })), 'done');
});

/** The meta package and the image it asks for are planned; both left the archive for a new ABI. */
function kernelScene() {
  const updates = [
    planned('linux-image-amd64', '6.1.128'),
    planned('linux-image-6.1.0-31-amd64', '6.1.128', null),
    planned('tool'),
  ];
  const plan = withInstall({ onDrift: 'supersede' }, [hostPlanOf('web1', 0, { updates })]);
  const { machine, record, run } = scene();
  machine.packages.set('linux-image-amd64', '1').set('linux-image-6.1.0-9-amd64', '1');
  machine.available.set('linux-image-amd64', '6.1.129').set('linux-image-6.1.0-32-amd64', '6.1.129');
  machine.available.set('linux-image-6.1.0-9-amd64', '1');
  return { machine, record, run: (more: Partial<HostFixture> = {}) => run({ plan, ...more }) };
}

test('supersede follows a kernel to its new ABI: installed, rebooted into, verified, and reported under the planned names', async () => {
  const { machine, record, run } = kernelScene();
  machine.actions['install'] = (self, { request }) => {
    for (const [name = '', , to = ''] of request.rows ?? []) self.packages.set(name, to);
    self.needsReboot = true;
    return {};
  };
  const outcome = await run();
  assert.deepEqual([outcome.verdict, outcome.change], ['verified', 'installed'], outcome.reason);
  assert.equal(machine.boots, 2);
  const results = record.ofType('update.finished').at(-1)?.results ?? [];
  const [meta, image, tool] = results;
  assert.deepEqual(
    [meta, image, tool].map((result) => [result?.name, result?.to, result?.now, result?.state]),
    [
      ['linux-image-amd64', '6.1.128', '6.1.129', 'superseded'],
      ['linux-image-6.1.0-31-amd64', '6.1.128', '6.1.129', 'superseded'],
      ['tool', '2', '2', 'installed'],
    ],
  );
  assert.match(image?.message ?? '', /linux-image-6\.1\.0-32-amd64 6\.1\.129 in its place/);
});

test('a host that was superseded does not drift when it is tried again', async () => {
  const { machine, record, run } = kernelScene();
  machine.scanOverrides = { health: { ...machine.scan().health, failedUnits: [] } };
  machine.actions['install'] = (self, { request }) => {
    for (const [name = '', , to = ''] of request.rows ?? []) self.packages.set(name, to);
    self.scanOverrides = { health: { ...self.scan().health, failedUnits: ['web.service'] } };
    return {};
  };
  assert.equal((await run()).verdict, 'unhealthy');
  const unrepaired = (await record.runState('run1'))?.hosts[0];
  machine.scanOverrides = {};
  const again = await run({ state: unrepaired, attempt: 2 });
  assert.deepEqual([again.verdict, again.change], ['verified', 'none'], again.reason);
  assert.equal(ranOf(machine).filter((kind) => kind === 'install').length, 1);
});

test('a successor that somebody else installed in the meantime is no drift either', async () => {
  const { machine, run } = kernelScene();
  machine.packages.set('linux-image-amd64', '6.1.129').set('linux-image-6.1.0-32-amd64', '6.1.129');
  const outcome = await run();
  assert.equal(outcome.verdict, 'verified', outcome.reason);
  assert.equal(machine.packages.get('tool'), '2');
});

test('a process that is killed inside a superseding install leaves the next one what was sent', async () => {
  const { machine, record, run } = kernelScene();
  const detach = new AbortController();
  machine.jobTicks = 3;
  machine.actions['install'] = (self, { request }) => {
    for (const [name = '', , to = ''] of request.rows ?? []) self.packages.set(name, to);
    detach.abort(new Error('killed'));
    return {};
  };
  assert.equal((await run({ detach: detach.signal })).verdict, 'detached');
  const state = (await record.runState('run1'))?.hosts[0];
  const resumed = await run({ state });
  assert.deepEqual([resumed.verdict, resumed.change], ['verified', 'installed'], resumed.reason);
  assert.equal(ranOf(machine).filter((kind) => kind === 'install').length, 1);
});

function halfFailing(machine: ReturnType<typeof fakeMachine>): Plan {
  machine.packages.set('lib', '1');
  machine.available.set('lib', '2');
  machine.actions['install'] = (self) => {
    self.packages.set('tool', '2');
    self.needsReboot = true;
    return { exitCode: 100, verdict: 'failed', message: 'lib could not be installed' };
  };
  return withInstall({}, [hostPlanOf('web1', 0, { updates: [planned('tool'), planned('lib')] })]);
}

test('an update that fails does not keep the restart from those that went in, and the host still ends failed', async () => {
  const { machine, record, run } = scene();
  const outcome = await run({ plan: halfFailing(machine) });
  assert.deepEqual([outcome.verdict, outcome.change], ['failed', 'partial']);
  assert.match(outcome.reason, /lib is at 1 \(failed\): lib could not be installed/);
  assert.equal(machine.boots, 2);
  assert.equal(record.ofType('host.rebooted').length, 1);
});

test('after a failed update the mode of reboots holds, and a host with a torn package stays up', async () => {
  const never = scene();
  const rebootSettings = { ...hostPlanOf('web1').rebootSettings, mode: 'never' } as const;
  const outcome = await never.run({ plan: halfFailing(never.machine), hostPlan: { rebootSettings } });
  assert.deepEqual([outcome.verdict, never.machine.boots], ['failed', 1]);
  const torn = scene();
  const plan = halfFailing(torn.machine);
  torn.machine.actions['install'] = (self) => {
    self.packages.set('tool', '2');
    self.broken.add('lib');
    self.needsReboot = true;
    return { exitCode: 100, verdict: 'failed' };
  };
  assert.deepEqual([(await torn.run({ plan })).verdict, torn.machine.boots], ['failed', 1]);
});

test('a run that goes on after the reboot of a half failed host still ends it as failed', async () => {
  const { machine, record, run } = scene();
  const plan = halfFailing(machine);
  machine.rebootScript = [];
  machine.actions['reboot'] = (self) => {
    self.unreachable = new FettleError('connect', 'it does not come back');
    return {};
  };
  assert.equal((await run({ plan })).verdict, 'lost');
  machine.unreachable = undefined;
  machine.bootId = 'web1-boot-2';
  machine.needsReboot = false;
  const state = (await record.runState('run1'))?.hosts[0];
  const resumed = await run({ plan, state });
  assert.deepEqual([resumed.verdict, resumed.change], ['failed', 'partial'], resumed.reason);
  assert.equal(ranOf(machine).filter((kind) => kind === 'install').length, 1);
});

const firefox = { ...planned('firefox', '2 (2)', '1 (1)'), manager: 'snap', arch: '' };

/** apt first, and a failure of it stops the host; then snap. */
function withSnap(machine: ReturnType<typeof fakeMachine>): Plan {
  machine.packages.set('firefox', '1 (1)');
  machine.available.set('firefox', '2 (2)');
  const steps = [
    { manager: 'apt', afterFailure: 'stop' },
    { manager: 'snap', afterFailure: 'continue' },
  ] as const;
  const updates = [planned('tool'), firefox];
  return planOf([['web1']], { hosts: [hostPlanOf('web1', 0, { managers: ['apt', 'snap'], steps, updates })] });
}

function installJobs(machine: ReturnType<typeof fakeMachine>): (string | undefined)[] {
  const installs = machine.ran.filter(({ kind }) => kind === 'install');
  return installs.map(({ job }) => /-install-([a-z]+)-/.exec(job)?.[1]);
}

test('where the package manager of the system fails nothing behind it is begun, and the record has it so', async () => {
  const { machine, record, run } = scene();
  machine.actions['install'] = () => ({ exitCode: 100, verdict: 'failed', message: 'dpkg was interrupted' });
  const outcome = await run({ plan: withSnap(machine) });
  assert.deepEqual([outcome.verdict, outcome.change], ['failed', 'none']);
  assert.deepEqual(installJobs(machine), ['apt']);
  const results = record.ofType('update.finished').at(-1)?.results ?? [];
  assert.deepEqual(
    results.map(({ name, state }) => `${name} ${state}`),
    ['tool failed', 'firefox not-installed'],
  );
  assert.match(results[1]?.message ?? '', /install by apt failed/);
});

test('a failure of other software leaves what went in its restart and its verification', async () => {
  const { machine, run } = scene();
  machine.needsReboot = true;
  machine.actions['install'] = (self, { manager, request }) => {
    if (manager === 'snap') return { exitCode: 1, verdict: 'drift', message: 'another revision is on offer' };
    for (const [name = '', , to = ''] of request.rows ?? []) self.packages.set(name, to);
    return {};
  };
  const outcome = await run({ plan: withSnap(machine) });
  assert.deepEqual([outcome.verdict, outcome.change], ['failed', 'partial']);
  assert.match(outcome.reason, /another revision is on offer/);
  assert.deepEqual([installJobs(machine), machine.boots], [['apt', 'snap'], 2]);
});

test('another process goes on with the package manager whose turn it is, and installs nothing twice', async () => {
  const { machine, record, run } = scene();
  const plan = withSnap(machine);
  machine.packages.set('tool', '2');
  const tool = {
    manager: 'apt',
    name: 'tool',
    arch: 'amd64',
    from: '1',
    to: '2',
    now: '2',
    state: 'installed',
  } as const;
  const of = { run: 'run1', host: 'web1', hostId: 'web1', attempt: 1 };
  await record.append([{ type: 'update.finished', ...of, results: [tool] }]);
  machine.actions['install'] = (self) => {
    self.packages.set('firefox', '2 (2)');
    const list =
      'Name     Version  Rev  Tracking       Publisher  Notes\nfirefox  2        2    latest/stable  mozilla    -\n';
    return { sections: { 'snap-installed': list, 'snap-installed-status': '0\n\n', 'snap-results': '' } };
  };
  const doneSteps = ['connect', 'preflight', 'refresh', 'install'] as const;
  const host = { host: 'web1', hostId: 'web1', attempt: 1, openSteps: [], reboots: 0 };
  const outcome = await run({ plan, state: { ...host, doneSteps, endedInstalls: ['apt'] } });
  assert.deepEqual(installJobs(machine), ['snap']);
  assert.deepEqual(
    record
      .ofType('update.finished')
      .at(-1)
      ?.results.map(({ name, state }) => `${name} ${state}`),
    ['tool installed', 'firefox installed'],
  );
  assert.equal(outcome.change, 'installed');
});
