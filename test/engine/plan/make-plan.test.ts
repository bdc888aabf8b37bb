import assert from 'node:assert/strict';
import { decodePlan, encodePlan } from '../../../src/config/plan/file.ts';
import { plannedRoutes } from '../../../src/domain/jump.ts';
import { describe, test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import type { Host } from '../../../src/domain/host.ts';
import type { HostPlan, Plan } from '../../../src/domain/plan.ts';
import type { Playbook } from '../../../src/domain/playbook.ts';
import type { HostScan } from '../../../src/domain/scan.ts';
import { inventorySha256 } from '../../../src/engine/plan/inventory-hash.ts';
import { checkGuards } from '../../../src/engine/plan/guards.ts';
import { makePlan } from '../../../src/engine/plan/make-plan.ts';
import { planExit } from '../../../src/engine/rollout/result.ts';
import type { PlanOrder } from '../../../src/engine/plan/make-plan.ts';
import { resolveReboot } from '../../../src/engine/plan/plan-host.ts';
import { ownOf } from '../../support/own-machine.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { anUpdate, everything, rebootSettings } from '../../domain/fixtures.ts';
import { FakeRemote } from '../../support/fake-machine.ts';
import type { FakeMachine } from '../../support/fake-machine.ts';
import { hostContext } from '../../support/host-fixture.ts';
import { MemoryRecord } from '../../support/memory-record.ts';
import { budgetOf, fakeHost, fakeMachine, operator, planOf } from '../../support/rollout-fixture.ts';

const tool = anUpdate({ name: 'tool', from: '1', to: '2' });
const dryPlan = planOf([]);

const playbook: Playbook = {
  name: 'monthly',
  targets: { select: 'all', guard: {} },
  policy: everything,
  rollout: {
    waves: [
      { name: 'first', take: { kind: 'count', count: 1 } },
      { name: 'rest', take: { kind: 'rest' } },
    ],
    concurrency: 10,
    order: 'inventory',
    budget: budgetOf(1),
  },
  install: { ...dryPlan.install, maxAgeMs: 1_000 },
  reboot: rebootSettings,
  verify: dryPlan.verify,
  hooks: {
    before_host: [{ name: 'drain', local: ['lb', '{{host}}'], timeoutMs: 1, onError: 'fail-host', runs: 'on-success' }],
    before_reboot: [],
    after_host: [],
  },
  planExpiresMs: 60_000,
  sha256: 'b'.repeat(64),
};

interface Fixture {
  readonly playbook?: Partial<Playbook>;
  readonly hosts?: readonly Host[];
  readonly scans?: Readonly<Record<string, Partial<HostScan>>>;
  readonly order?: Partial<PlanOrder>;
  readonly machines?: (machines: ReadonlyMap<string, FakeMachine>) => void;
  readonly record?: MemoryRecord;
}

interface Made {
  readonly plan: Plan;
  readonly record: MemoryRecord;
  readonly machines: ReadonlyMap<string, FakeMachine>;
}

async function make(fixture: Fixture = {}): Promise<Made> {
  const hosts = fixture.hosts ?? ['a', 'b', 'c'].map((name) => fakeHost(name));
  const record = fixture.record ?? new MemoryRecord();
  const machines = new Map(hosts.map((host) => [host.name, fakeMachine(host.name)]));
  for (const [name, machine] of machines) {
    machine.scanOverrides = { updates: [tool], ...fixture.scans?.[name] };
  }
  fixture.machines?.(machines);
  const plan = await makePlan({
    context: hostContext({ machine: fakeMachine('any'), record }),
    remote: (host) => new FakeRemote(host, machines.get(host.name) ?? fakeMachine(host.name)),
    concurrency: 2,
    playbook: { ...playbook, ...fixture.playbook },
    hosts,
    select: () => new Set(hosts.map((host) => host.name)),
    id: 'plan-1',
    seed: 1,
    fettleVersion: '0.1.0',
    mayRefresh: true,
    own: ownOf({}, new Map()),
    ...fixture.order,
  });
  return { plan, record, machines };
}

function hostOf(plan: Plan, name: string): HostPlan {
  const found = plan.hosts.find((host) => host.host === name);
  assert.ok(found, `${name} is not in the plan`);
  return found;
}

const waves = (plan: Plan): string[][] => plan.waves.map((wave) => [...wave.hosts]);
const facts = (machine: string, boot: string): Partial<HostScan> => {
  const scan = fakeMachine(machine).scan();
  return { facts: { ...scan.facts, machineId: machine, bootId: boot } };
};

describe('a plan', () => {
  test('says that it cannot take new configuration files where the packages decide', async () => {
    const install = { ...playbook.install, conffile: 'take-new' as const };
    const { plan } = await make({
      playbook: { install },
      scans: { a: { managers: ['dnf'], updates: [{ ...tool, manager: 'dnf' }] } },
    });
    assert.deepEqual(
      plan.warnings.filter((warning) => warning.includes('take-new')),
      [
        'install.conffile: take-new has no effect with dnf: the packages decide whether a changed file is kept; see the .rpmnew and .rpmsave files (a)',
      ],
    );
  });

  test('freezes what goes where and everything that will happen', async () => {
    const { plan } = await make();
    assert.deepEqual(waves(plan), [['a'], ['b', 'c']]);
    assert.equal(plan.expiresMs - plan.createdMs, 60_000);
    const { updates, inventorySha256: hash } = hostOf(plan, 'a');
    assert.deepEqual(
      updates.map(({ name, from, to }) => [name, from, to]),
      [['tool', '1', '2']],
    );
    assert.equal(hash, inventorySha256(fakeHost('a')));
    assert.match(plan.hooks.before_host[0]?.sha256 ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual(plan.policy, playbook.policy);
    assert.deepEqual(plan.warnings, []);
  });

  test('has jump hosts go last, those that only the ssh configuration names too, and keeps the way for apply', async () => {
    const configuredJumps = (host: string): string[] => (host === 'b' ? ['elsewhere', 'a'] : []);
    const { plan } = await make({ order: { configuredJumps } });
    assert.equal(waves(plan).at(-1)?.at(-1), 'a');
    assert.deepEqual([hostOf(plan, 'a').via, hostOf(plan, 'b').via], [undefined, ['a']]);
    assert.deepEqual([...plannedRoutes(decodePlan(encodePlan(plan)).hosts)], [['b', ['a']]]);
  });

  test('records the scans, and installs nothing', async () => {
    const { record, machines } = await make();
    assert.deepEqual(
      record.events.map((event) => event.type),
      Array.from({ length: 3 }, () => 'host.scanned'),
    );
    assert.ok([...machines.values()].every((machine) => machine.ran.length === 0));
  });

  test('leaves a host without work out of the waves, so that the first wave tries something', async () => {
    const { plan } = await make({ scans: { a: { updates: [] } } });
    assert.deepEqual(waves(plan), [['b'], ['c']]);
    assert.equal(hostOf(plan, 'a').wave, -1);
  });

  test('of an up-to-date fleet has no wave at all', async () => {
    const { plan } = await make({ scans: { a: { updates: [] }, b: { updates: [] }, c: { updates: [] } } });
    assert.deepEqual(plan.waves, []);
    assert.equal(plan.hosts.length, 3);
  });

  test('fails a host whose package manager does not know the part of an install that was asked for', async () => {
    const { plan } = await make({ playbook: { install: { ...playbook.install, mode: 'download' } } });
    assert.deepEqual(plan.hosts, []);
    assert.deepEqual(new Set(plan.absent.map(({ kind }) => kind)), new Set(['failed']));
    assert.match(plan.absent[0]?.reason ?? '', /apt does not know install\.mode: download/);
  });

  test('names an unreachable host and goes on with the others', async () => {
    const { plan, record } = await make({
      machines: (machines) => {
        const machine = machines.get('a');
        if (machine !== undefined) machine.unreachable = new FettleError('timeout', 'a: no answer in 10 s');
      },
    });
    assert.deepEqual(
      plan.absent.map(({ host, kind, error }) => [host, kind, error?.code]),
      [['a', 'unreachable', 'timeout']],
    );
    assert.deepEqual(waves(plan), [['b'], ['c']]);
    assert.ok(record.events.some((event) => event.type === 'host.finished' && event.outcome.verdict === 'unreachable'));
  });

  test('names a host that this machine had no descriptors for as skipped, which is no success', async () => {
    const { plan } = await make({
      machines: (machines) => {
        const machine = machines.get('a');
        const details = { code: 'EMFILE', ours: true };
        if (machine !== undefined)
          machine.unreachable = new FettleError('connect', 'no descriptor is left', { details });
      },
    });
    assert.deepEqual(
      plan.absent.map(({ host, kind }) => [host, kind]),
      [['a', 'skipped']],
    );
    assert.equal(planExit(plan, false), 'partial');
  });

  test('does not contact a host that is switched off, for good or until a day', async () => {
    const hosts = [
      fakeHost('a', { enabled: false, disabledReason: 'frozen' }),
      fakeHost('b', { disabledUntilMs: 4_000_000_000_000 }),
      fakeHost('c', { disabledUntilMs: 1 }),
      fakeHost('d', { enabled: false, disabledUntilMs: 4_000_000_000_000 }),
    ];
    const { plan, record } = await make({ hosts });
    assert.deepEqual(
      plan.absent.map(({ host, kind }) => [host, kind]),
      [
        ['a', 'disabled'],
        ['b', 'disabled'],
        ['d', 'disabled'],
      ],
    );
    assert.match(plan.absent[0]?.reason ?? '', /patch_enabled: frozen/);
    assert.deepEqual(
      record.events.map((event) => ('host' in event ? event.host : '')),
      ['c'],
    );
  });

  test('takes a host in again that was switched off until a day that is over', async () => {
    const { plan } = await make({ hosts: [fakeHost('a', { enabled: false, disabledUntilMs: 1 })] });
    assert.deepEqual(plan.absent, []);
    assert.deepEqual(
      plan.hosts.map(({ host }) => host),
      ['a'],
    );
  });

  test('patches one machine with two names once', async () => {
    const same = facts('m', 'boot');
    const { plan } = await make({
      scans: { a: same, c: same },
      machines: (machines) => {
        for (const name of ['a', 'c']) Object.assign(machines.get(name) ?? {}, { endpoint: '192.0.2.1:22 key' });
      },
    });
    assert.deepEqual(
      plan.absent.map(({ host, kind }) => [host, kind]),
      [['c', 'duplicate']],
    );
    assert.match(plan.absent[0]?.reason ?? '', /same machine as a/);
    assert.deepEqual(waves(plan), [['a'], ['b']]);
  });

  test('patches clones each and warns of their machine id', async () => {
    const { plan } = await make({ scans: { a: facts('m', 'boot-a'), b: facts('m', 'boot-b') } });
    assert.deepEqual(plan.absent, []);
    assert.match(plan.warnings[0] ?? '', /same machine id m: a, b/);
  });

  test('leaves no host out because another one claims to be it', async () => {
    const same = facts('m', 'boot');
    const { plan } = await make({ scans: { a: same, c: same } });
    assert.deepEqual(plan.absent, []);
    assert.deepEqual(waves(plan), [['a'], ['b', 'c']]);
    assert.match(plan.warnings[0] ?? '', /same machine id m: a, c are not proven to be one machine/);
  });

  test('puts the machine fettle runs on last, proven by a secret on its disk or given by the local transport', async () => {
    const disk = new Map<string, string>();
    const own = ownOf({ machineId: 'm', bootId: 'boot' }, disk);
    const proven = await make({
      scans: { a: facts('m', 'boot') },
      machines: (machines) => Object.assign(machines.get('a') ?? {}, { files: disk }),
      order: { own },
    });
    assert.deepEqual(waves(proven.plan), [['b'], ['c', 'a']]);
    const pretended = await make({ scans: { a: facts('m', 'boot') }, order: { own } });
    assert.deepEqual(waves(pretended.plan), [['a'], ['b', 'c']]);
    assert.match(pretended.plan.warnings[0] ?? '', /^a has the machine id .* not proven to be it/);
    const local = fakeHost('a');
    const hosts = [{ ...local, connection: { ...local.connection, transport: 'local' } }, fakeHost('b')];
    assert.deepEqual(waves((await make({ hosts })).plan), [['b'], ['a']]);
  });

  test('puts a host that others are reached through behind them', async () => {
    const [a, b] = [fakeHost('a'), fakeHost('b')];
    const behind = { ...b, connection: { ...b.connection, sshArguments: ['-J', 'a'] } };
    assert.deepEqual(waves((await make({ hosts: [a, behind] })).plan), [['b'], ['a']]);
  });

  test('marks a version that only a later wave meets', async () => {
    const { plan } = await make({
      scans: { c: { updates: [{ ...tool, to: '3' }] } },
      machines: (machines) => machines.get('c')?.available.set('tool', '3'),
    });
    assert.deepEqual(
      plan.hosts.map((host) => host.updates[0]?.untried),
      [false, false, true],
    );
  });

  test('holds patch_hold and records why', async () => {
    const { plan } = await make({ hosts: [fakeHost('a', { hold: ['to*'] }), fakeHost('b')] });
    assert.deepEqual(hostOf(plan, 'a').updates, []);
    assert.match(hostOf(plan, 'a').leftOut[0]?.reason ?? '', /patch_hold \(to\*\)/);
  });

  test('folds equal warnings of many hosts into one', async () => {
    const unsafe = { securityKnown: false, privileges: { user: 'ada', isRoot: false } };
    const { plan } = await make({ scans: { a: unsafe, b: unsafe } });
    assert.equal(plan.warnings.length, 2);
    assert.match(plan.warnings[0] ?? '', /security updates is unknown \(a, b\)$/);
    assert.match(plan.warnings[1] ?? '', /apply needs root.* \(a, b\)$/);
  });
});

describe('guards', () => {
  const check = (guard: Playbook['targets']['guard'], selected = 3): void =>
    checkGuards({ playbook: { ...playbook, targets: { select: 'web', guard } }, selected, inventorySize: 3 });
  const cases: readonly [title: string, check: () => void, message: RegExp][] = [
    ['too few hosts', () => check({ minHosts: 4 }), /3 hosts selected, but the playbook requires at least 4/],
    ['too many hosts', () => check({ maxHosts: 2 }), /3 hosts selected, but the playbook allows at most 2/],
    ['too large a share', () => check({ maxSharePercent: 90 }), /3 of 3 hosts of the inventory/],
    ['no host at all', () => check({}, 0), /selects no host/],
  ];
  for (const [title, judge, message] of cases) {
    test(`${title} are refused`, () => assert.throws(judge, { code: 'usage', message }));
  }

  test('that hold let the plan be made', () => check({ minHosts: 3, maxHosts: 3, maxSharePercent: 100 }));
});

describe('stale metadata', () => {
  const metadata = { repositories: [], isStale: true };
  const stale = { a: { metadata } };
  const refreshes = (machines: ReadonlyMap<string, FakeMachine>): void => {
    const machine = machines.get('a');
    if (machine === undefined) return;
    machine.actions['refresh'] = () => {
      machine.scanOverrides = { updates: [tool], metadata: { repositories: [], isStale: false } };
      return {};
    };
  };

  test('is refreshed by a job under a lease, which is given back', async () => {
    const { plan, record, machines } = await make({ scans: stale, machines: refreshes });
    assert.deepEqual(
      machines.get('a')?.ran.map((job) => job.kind),
      ['refresh'],
    );
    assert.deepEqual(plan.warnings, []);
    assert.equal(record.leases.size, 0);
    const steps = record.events.flatMap((event) => (event.type === 'step.finished' ? [[event.step, event.ok]] : []));
    assert.deepEqual(steps, [['refresh', true]]);
  });

  test('is used as it is when refresh is off, with a warning', async () => {
    const { plan, machines } = await make({ scans: stale, order: { mayRefresh: false } });
    assert.deepEqual(machines.get('a')?.ran, []);
    assert.match(plan.warnings[0] ?? '', /stale package metadata.* \(a\)$/);
    assert.equal(hostOf(plan, 'a').updates.length, 1);
  });

  test('without root is planned from, read-only, with a warning', async () => {
    const { plan, machines } = await make({
      scans: { a: { metadata, privileges: { user: 'ada', isRoot: false } } },
    });
    assert.deepEqual(machines.get('a')?.ran, []);
    assert.match(plan.warnings[0] ?? '', /refreshing it needs root \(a\)$/);
    assert.equal(hostOf(plan, 'a').updates.length, 1);
  });

  test('of a host in another run is left alone and the run named', async () => {
    const record = new MemoryRecord();
    await record.acquireLeases({ run: 'other', holder: operator, hostIds: ['a'], nowMs: 0, expiresMs: Infinity });
    const { plan, machines } = await make({ scans: stale, record });
    assert.deepEqual(machines.get('a')?.ran, []);
    assert.match(plan.warnings[0] ?? '', /run other has the lease on the host/);
    assert.equal(record.leases.get('a')?.run, 'other');
  });

  test('that could not be fetched is reported with the reason', async () => {
    const { plan, record } = await make({
      scans: stale,
      machines: (machines) => {
        const machine = machines.get('a');
        if (machine === undefined) return;
        machine.actions['refresh'] = () => ({ exitCode: 100, verdict: 'failed', message: 'mirror is down' });
      },
    });
    assert.match(plan.warnings[0] ?? '', /stale package metadata: the refresh failed: mirror is down \(a\)/);
    assert.equal(record.leases.size, 0);
  });
});

describe('the reboot to expect', () => {
  const kernel = anUpdate({ name: 'tool', from: '1', to: '2', isKernel: true });
  const waiting = { needed: 'yes', reasons: ['libc6'], runningKernel: '6.1' } as const;
  const mode = (value: Playbook['reboot']['mode']): Partial<Playbook> => ({
    reboot: { ...rebootSettings, mode: value },
  });
  const cases: readonly [title: string, scan: Partial<HostScan>, playbook: Partial<Playbook>, expected: boolean][] = [
    ['is none for ordinary updates', {}, mode('if-needed'), false],
    ['is one for a kernel', { updates: [kernel] }, mode('if-needed'), true],
    ['is one where the host waits for it', { reboot: waiting }, mode('if-needed'), true],
    ['is one where the mode is always', {}, mode('always'), true],
    ['is none where the playbook sets never', { updates: [kernel] }, mode('never'), false],
    ['is none without work, even where the mode is always', { updates: [] }, mode('always'), false],
  ];
  for (const [title, scan, over, expected] of cases) {
    test(title, async () => {
      const { plan } = await make({ hosts: [fakeHost('a')], scans: { a: scan }, playbook: over });
      assert.equal(hostOf(plan, 'a').reboot.expected, expected);
    });
  }

  test('alone is work: a patched host that waits for its reboot is in a wave', async () => {
    const { plan } = await make({ hosts: [fakeHost('a')], scans: { a: { updates: [], reboot: waiting } } });
    assert.deepEqual(waves(plan), [['a']]);
    assert.match(hostOf(plan, 'a').reboot.reasons[0] ?? '', /libc6/);
  });

  test('that the settings forbid is a warning', async () => {
    const never = fakeHost('a', { reboot: 'never' });
    const { plan } = await make({ hosts: [never], scans: { a: { updates: [], reboot: waiting } } });
    assert.deepEqual(waves(plan), []);
    assert.match(plan.warnings[0] ?? '', /needs a reboot that its settings forbid/);
  });

  test('is decided by never, wherever it is set', () => {
    const resolved = (playbookMode: Playbook['reboot']['mode'], reboot?: Playbook['reboot']['mode']): string =>
      resolveReboot(fakeHost('a', reboot === undefined ? {} : { reboot }), { ...rebootSettings, mode: playbookMode })
        .mode;
    assert.equal(resolved('always', 'never'), 'never');
    assert.equal(resolved('never', 'always'), 'never');
    assert.equal(resolved('if-needed', 'always'), 'always');
    assert.equal(resolved('if-needed'), 'if-needed');
  });

  test('counts as written where the mode that holds was named by the playbook or by patch_reboot', () => {
    const silent = { ...rebootSettings, mode: 'never' } as const;
    assert.equal(resolveReboot(fakeHost('a'), silent).isWritten, undefined);
    assert.equal(resolveReboot(fakeHost('a', { reboot: 'never' }), silent).isWritten, true);
    assert.equal(resolveReboot(fakeHost('a', { reboot: 'always' }), silent).isWritten, undefined);
    assert.equal(resolveReboot(fakeHost('a'), { ...silent, isWritten: true }).isWritten, true);
  });

  test('is not repeated more often than host and playbook allow', () => {
    assert.equal(resolveReboot(fakeHost('a', { maxReboots: 1 }), rebootSettings).max, 1);
    assert.equal(resolveReboot(fakeHost('a', { maxReboots: 9 }), rebootSettings).max, rebootSettings.max);
  });
});

describe('the inventory hash of a host', () => {
  test('does not depend on the order of variables or on a secret value', () => {
    const one = { ...fakeHost('a'), variables: { b: [1, { d: 1, c: 2 }], a: new Secret('one') } };
    const two = { ...fakeHost('a'), variables: { a: new Secret('two'), b: [1, { c: 2, d: 1 }] } };
    assert.equal(inventorySha256(one), inventorySha256(two));
  });

  test('changes with a variable', () => {
    assert.notEqual(inventorySha256({ variables: { a: 1 } }), inventorySha256({ variables: { a: 2 } }));
  });
});
