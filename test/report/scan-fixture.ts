import type { HostScan } from '../../src/domain/scan.ts';
import type { Update } from '../../src/domain/update.ts';

export function pending(name: string, more: Partial<Update> = {}): Update {
  return {
    manager: 'apt',
    name,
    arch: 'amd64',
    from: '1',
    to: '2',
    origins: ['Debian'],
    class: 'other',
    isKernel: false,
    ...more,
  };
}

export function hostScan(more: Partial<HostScan> = {}): HostScan {
  return {
    collectedMs: 0,
    managers: ['apt'],
    facts: {
      hostName: 'web01',
      family: 'linux',
      osId: 'debian',
      osVersion: '12',
      osName: 'Debian GNU/Linux 12',
      kernel: '6.1.0-37-amd64',
      arch: 'amd64',
      init: 'systemd',
      isContainer: false,
    },
    privileges: { user: 'root', isRoot: true },
    packages: [],
    autoInstalled: [],
    updates: [],
    securityKnown: true,
    metadata: { repositories: [], isStale: false, fetchedMs: Date.UTC(2026, 10, 23, 16, 0) },
    reboot: { needed: 'no', reasons: [], runningKernel: '6.1.0-37-amd64' },
    health: { failedUnits: [], activeServices: [], listeners: [], staleProcesses: [], staleKnown: true },
    disks: [],
    running: [],
    broken: [],
    conffileLeftovers: [],
    problems: [],
    ...more,
  };
}
