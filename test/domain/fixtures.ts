// Smallest well-formed values of the domain's larger words; a test names only what it is about.
import type { HostPlan, PlannedUpdate } from '../../src/domain/plan.ts';
import type { Policy, RebootSettings, VerifySettings } from '../../src/domain/playbook.ts';
import type { HostScan } from '../../src/domain/scan.ts';
import type { InstalledPackage, Update } from '../../src/domain/update.ts';

export function anUpdate(over: Partial<Update> = {}): Update {
  return {
    manager: 'apt',
    name: 'nginx',
    arch: 'amd64',
    from: '1.0',
    to: '1.1',
    origins: ['Debian:12.5/oldstable'],
    class: 'other',
    isKernel: false,
    ...over,
  };
}

export function aPlanned(over: Partial<PlannedUpdate> = {}): PlannedUpdate {
  return { ...anUpdate(), reason: 'every update is wanted', untried: false, ...over };
}

export function aPackage(over: Partial<InstalledPackage> = {}): InstalledPackage {
  const id = { manager: 'apt', name: 'nginx', arch: 'amd64' };
  return { ...id, version: '1.0', state: 'installed', source: 'nginx', sourceVersion: '1.0', ...over };
}

export const everything: Policy = {
  include: [],
  exclude: [],
  securityOnly: false,
  includePhased: false,
  newPackages: 'allow',
};

export const rebootSettings: RebootSettings = {
  mode: 'if-needed',
  max: 2,
  goDownMs: 120_000,
  comeBackMs: 600_000,
  settleMs: 10_000,
};

export const verifySettings: VerifySettings = {
  failedUnits: 'fail',
  listeners: 'fail',
  staleProcesses: 'warn',
  ignore: [],
  retries: 0,
  retryDelayMs: 0,
};

export function aScan(over: Partial<HostScan> = {}): HostScan {
  return {
    collectedMs: 1_700_000_000_000,
    managers: ['apt'],
    facts: {
      machineId: 'machine-1',
      bootId: 'boot-1',
      hostName: 'web01',
      family: 'debian',
      osId: 'debian',
      osVersion: '12',
      osName: 'Debian GNU/Linux 12',
      kernel: '6.1.0-30-amd64',
      arch: 'x86_64',
      init: 'systemd',
      isContainer: false,
    },
    privileges: { user: 'root', isRoot: true },
    packages: [aPackage()],
    autoInstalled: [],
    updates: [],
    securityKnown: true,
    metadata: { fetchedMs: 1_700_000_000_000, repositories: [], isStale: false },
    reboot: { needed: 'no', reasons: [], runningKernel: '6.1.0-30-amd64', installedKernel: '6.1.0-30-amd64' },
    health: { failedUnits: [], activeServices: [], listeners: [], staleProcesses: [], staleKnown: true },
    disks: [],
    running: [],
    broken: [],
    conffileLeftovers: [],
    problems: [],
    ...over,
  };
}

export function aHostPlan(over: Partial<HostPlan> = {}): HostPlan {
  return {
    host: 'web01',
    hostId: 'web01',
    wave: 0,
    managers: ['apt'],
    steps: [{ manager: 'apt', afterFailure: 'stop' }],
    osName: 'Debian GNU/Linux 12',
    updates: [],
    removals: [],
    leftOut: [],
    securityKnown: true,
    downloadBytes: 0,
    reboot: { expected: false, reasons: [] },
    rebootSettings,
    inventorySha256: 'a'.repeat(64),
    clusters: [],
    ...over,
  };
}
