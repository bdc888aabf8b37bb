// A plan with one of everything a signature covers.
import type { HostPlan, Plan, PlannedUpdate } from '../../src/domain/plan.ts';

const counts = ['failed', 'unreachable', 'unverified', 'drifted'] as const;

export function update(name: string, more: Partial<PlannedUpdate> = {}): PlannedUpdate {
  return {
    manager: 'apt',
    name,
    arch: 'amd64',
    from: '1.0-1',
    to: '1.0-2',
    class: 'security',
    origins: ['Debian-Security:12/oldstable-security'],
    isKernel: false,
    reason: 'security',
    untried: false,
    ...more,
  };
}

export function hostPlan(host: string, more: Partial<HostPlan> = {}): HostPlan {
  return {
    host,
    hostId: host,
    wave: 0,
    managers: ['apt'],
    steps: [{ manager: 'apt', afterFailure: 'stop' }],
    osName: 'Debian GNU/Linux 12',
    updates: [],
    removals: [],
    leftOut: [],
    securityKnown: true,
    downloadBytes: 0,
    metadataFetchedMs: Date.UTC(2026, 10, 23, 17, 0),
    reboot: { expected: false, reasons: [] },
    rebootSettings: { mode: 'if-needed', max: 1, goDownMs: 60_000, comeBackMs: 600_000, settleMs: 10_000 },
    inventorySha256: '',
    clusters: [],
    ...more,
  };
}

const webUpdates = [
  update('openssl', { from: '3.0.15-1~deb12u1', to: '3.0.17-1~deb12u3' }),
  update('tzdata', { arch: 'all', from: '2025a-0+deb12u1', to: '2025b-0+deb12u2', class: 'other', reason: 'included' }),
  update('libnew1', { from: null, to: '0.1', class: 'other', reason: 'needed by tzdata' }),
];

const kernel = update('linux-image-amd64', { from: '6.1.140-1', to: '6.1.147-1', isKernel: true, untried: true });

function webs(wave: number, from: number, to: number): HostPlan[] {
  return Array.from({ length: to - from + 1 }, (_, index) =>
    hostPlan(`web${String(from + index).padStart(2, '0')}`, {
      wave,
      updates: webUpdates,
      downloadBytes: 6_200_000,
      leftOut: [
        {
          manager: 'apt',
          name: 'nginx',
          arch: 'amd64',
          from: '1.22',
          to: '1.24',
          class: 'other',
          reason: 'held on the host',
          heldBack: { kind: 'held' },
        },
      ],
    }),
  );
}

const sampleHosts: readonly HostPlan[] = [
  ...webs(0, 1, 1),
  ...webs(1, 2, 9),
  hostPlan('db-a', {
    wave: 1,
    updates: [kernel],
    removals: [{ manager: 'apt', name: 'linux-image-6.1.0-30-amd64', arch: 'amd64', version: '6.1.124-1' }],
    downloadBytes: 69_000_000,
    reboot: { expected: true, reasons: ['linux-image-amd64 is a kernel'] },
  }),
  hostPlan('cache1', { wave: -1 }),
  hostPlan('cache2', { wave: -1, securityKnown: false }),
];

export const samplePlan: Plan = {
  kind: 'plan',
  version: 2,
  id: '01JPLAN',
  createdMs: Date.UTC(2026, 10, 23, 18, 0),
  expiresMs: Date.UTC(2026, 10, 24, 18, 0),
  fettleVersion: '0.1.0',
  playbook: { name: 'monthly', sha256: 'ab'.repeat(32) },
  select: 'all:!canary',
  limit: 'web*,db-a,cache*',
  seed: 1,
  concurrency: 20,
  budget: { percent: 5, atLeast: 1, counts },
  waves: [
    { name: 'first', hosts: ['web01'], concurrency: 20, budget: { max: 0, counts } },
    {
      name: 'rest',
      hosts: ['db-a', ...Array.from({ length: 8 }, (_, index) => `web0${index + 2}`)],
      concurrency: 5,
    },
  ],
  policy: {
    include: [],
    exclude: [{ packages: ['mysql-*'] }],
    securityOnly: false,
    includePhased: false,
    newPackages: 'allow',
  },
  install: {
    timeoutMs: 3_600_000,
    lockWaitMs: 600_000,
    conffile: 'keep-old',
    onDrift: 'refuse-host',
    restartServices: 'report',
    maxAgeMs: 21_600_000,
  },
  reboot: { mode: 'if-needed', max: 1, goDownMs: 60_000, comeBackMs: 600_000, settleMs: 10_000 },
  verify: {
    failedUnits: 'fail',
    listeners: 'fail',
    staleProcesses: 'warn',
    ignore: [],
    retries: 1,
    retryDelayMs: 1_000,
  },
  hooks: {
    before_host: [
      {
        name: 'drain',
        local: ['lb', 'drain', '{{host}}'],
        timeoutMs: 60_000,
        onError: 'fail-host',
        runs: 'always',
        sha256: 'cd'.repeat(32),
      },
    ],
    before_reboot: [],
    after_host: [],
  },
  hosts: sampleHosts,
  absent: [
    { host: 'web10', hostId: 'web10', kind: 'unreachable', reason: 'the connection timed out' },
    { host: 'web11', hostId: 'web11', kind: 'unreachable', reason: 'the connection timed out' },
    { host: 'old', hostId: 'old', kind: 'disabled', reason: 'switched off by patch_enabled' },
  ],
  warnings: ['web03 and web04 have the same machine id: cloned machine'],
};
