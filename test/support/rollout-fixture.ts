import type { RunStarted } from '../../src/domain/event.ts';
import type { Host } from '../../src/domain/host.ts';
import type { HostPlan, Plan, PlannedUpdate } from '../../src/domain/plan.ts';
import type { Budget } from '../../src/domain/playbook.ts';
import { FakeMachine } from './fake-machine.ts';

export const operator = { user: 'ada', controller: 'jump', pid: 1 } as const;

export function fakeHost(name: string, patch: Partial<Host['patch']> = {}): Host {
  return {
    name,
    id: name,
    groups: ['all'],
    connection: {
      transport: 'fake',
      address: name,
      sshArguments: [],
      hostKeyPolicy: 'strict',
      limits: { connectMs: 1, handshakeMs: 1, authMs: 1, idleMs: 1 },
    },
    patch: { enabled: true, hold: [], clusters: [], ...patch },
    variables: {},
  };
}

export function planned(name: string, to = '2', from: string | null = '1'): PlannedUpdate {
  return {
    manager: 'apt',
    name,
    arch: 'amd64',
    from,
    to,
    class: 'security',
    origins: ['Debian'],
    isKernel: false,
    reason: 'security',
    untried: false,
  };
}

const allClasses = ['failed', 'unreachable', 'unverified', 'drifted'] as const;

export function budgetOf(max: number): Budget {
  return { max, counts: allClasses };
}

/** A machine with `tool` at 1 and 2 on offer. */
export function fakeMachine(name: string): FakeMachine {
  const machine = new FakeMachine(name);
  machine.packages.set('tool', '1');
  machine.available.set('tool', '2');
  return machine;
}

export function hostPlanOf(host: string, wave = 0, more: Partial<HostPlan> = {}): HostPlan {
  return {
    host,
    hostId: host,
    wave,
    managers: ['apt'],
    steps: [{ manager: 'apt', afterFailure: 'stop' }],
    osName: 'Debian 12',
    updates: [planned('tool')],
    removals: [],
    leftOut: [],
    securityKnown: true,
    downloadBytes: 0,
    metadataFetchedMs: 0,
    reboot: { expected: false, reasons: [] },
    rebootSettings: { mode: 'if-needed', max: 1, goDownMs: 60_000, comeBackMs: 300_000, settleMs: 10_000 },
    inventorySha256: '',
    clusters: [],
    ...more,
  };
}

/** One wave for each list of hosts. */
export function planOf(waves: readonly (readonly string[])[], more: Partial<Plan> = {}): Plan {
  return {
    kind: 'plan',
    version: 2,
    id: 'plan-1',
    createdMs: 0,
    expiresMs: 1,
    fettleVersion: '0',
    playbook: { name: 'p', sha256: '' },
    select: 'all',
    seed: 1,
    concurrency: 10,
    budget: budgetOf(1),
    waves: waves.map((hosts, index) => ({ name: `wave-${index + 1}`, hosts, concurrency: 10, budget: budgetOf(1) })),
    policy: { include: [], exclude: [], securityOnly: false, includePhased: false, newPackages: 'allow' },
    install: {
      timeoutMs: 3_600_000,
      lockWaitMs: 60_000,
      conffile: 'keep-old',
      onDrift: 'refuse-host',
      restartServices: 'report',
      maxAgeMs: 1,
    },
    reboot: { mode: 'if-needed', max: 1, goDownMs: 60_000, comeBackMs: 300_000, settleMs: 10_000 },
    verify: {
      failedUnits: 'fail',
      listeners: 'fail',
      staleProcesses: 'warn',
      ignore: [],
      retries: 1,
      retryDelayMs: 1_000,
    },
    hooks: { before_host: [], before_reboot: [], after_host: [] },
    hosts: waves.flatMap((hosts, index) => hosts.map((host) => hostPlanOf(host, index))),
    absent: [],
    warnings: [],
    ...more,
  };
}

export function opening(run: string, hosts: readonly string[]): RunStarted {
  return { type: 'run.started', run, kind: 'apply', operator, fettleVersion: '0', argv: [], hosts };
}
