import type { Host } from '../domain/host.ts';
import type { MachineFacts } from '../domain/identity.ts';
import type { HostPlan } from '../domain/plan.ts';
import type { Playbook, RebootSettings } from '../domain/playbook.ts';
import type { HostScan } from '../domain/scan.ts';
import { emit } from './context.ts';
import { inventorySha256 } from './inventory-hash.ts';
import { planWorkload } from './plan-host.ts';
import type { HostWorkload } from './plan-host.ts';
import { refreshWhenStale } from './plan-refresh.ts';
import { scanned } from './scan.ts';
import type { FanOut } from './scan.ts';

/** What is kept of one host: its plan and what the fleet is judged by, not its scan. */
export interface PlannedHost {
  readonly host: Host;
  /** Its wave is not dealt yet. */
  readonly hostPlan: HostPlan;
  readonly facts: MachineFacts;
  /** Without the host's name, so that equal ones of many hosts fold. */
  readonly warnings: readonly string[];
}

export interface HostOrder extends FanOut {
  readonly playbook: Playbook;
  readonly mayRefresh: boolean;
}

/** Looks at one host, refreshes it where it may, and asks its package manager what would really happen. */
export async function planHost(order: HostOrder, host: Host): Promise<PlannedHost> {
  const { context, playbook } = order;
  const { install, policy } = playbook;
  await using remote = order.remote(host);
  const first = await remote.scan({ maxAgeMs: install.maxAgeMs, signal: context.detach });
  const refreshed = order.mayRefresh
    ? await refreshWhenStale({ context, host, remote, scan: first, install })
    : { scan: first };
  const { scan } = refreshed;
  await emit(context, [scanned(context, host, scan)]);
  const workload = await planWorkload({
    scan,
    policy,
    patchHold: host.patch.hold,
    simulate: (updates) => remote.simulate({ manager: scan.manager, updates }, context.detach),
  });
  const hostPlan = freeze(host, scan, { playbook, workload });
  const { machineId, bootId, hostName, isContainer } = scan.facts;
  return {
    host,
    hostPlan,
    facts: { hostName, isContainer, ...(machineId ? { machineId } : {}), ...(bootId ? { bootId } : {}) },
    warnings: [...staleWarning(refreshed, scan), ...scanWarnings(scan, hostPlan)],
  };
}

function freeze(host: Host, scan: HostScan, plan: { playbook: Playbook; workload: HostWorkload }): HostPlan {
  const { playbook, workload } = plan;
  const { machineId } = scan.facts;
  const { fetchedMs } = scan.metadata;
  const rebootSettings = resolveReboot(host, playbook.reboot);
  return {
    host: host.name,
    hostId: host.id,
    wave: -1,
    manager: scan.manager,
    osName: scan.facts.osName,
    ...(machineId === undefined ? {} : { machineId }),
    updates: workload.updates,
    removals: [],
    leftOut: workload.leftOut,
    securityKnown: scan.securityKnown,
    downloadBytes: workload.downloadBytes,
    reboot: expectReboot(scan, workload, rebootSettings),
    rebootSettings,
    ...(fetchedMs === undefined ? {} : { metadataFetchedMs: fetchedMs }),
    inventorySha256: inventorySha256(host),
    clusters: host.patch.clusters,
  };
}

/** Windows goes on installing before it goes down and again before it lets anybody in, for an hour at worst. */
const windowsLimits = { goDownMs: 20 * 60_000, comeBackMs: 60 * 60_000, settleMs: 15 * 60_000 } as const;

/** `patch_reboot: never` always wins; another `patch_reboot` narrows or widens the playbook's mode. */
export function resolveReboot(host: Pick<Host, 'patch' | 'connection'>, written: RebootSettings): RebootSettings {
  const { reboot, maxReboots } = host.patch;
  const { hasDefaultLimits, ...said } = written;
  const settings = hasDefaultLimits && host.connection.shell === 'powershell' ? { ...said, ...windowsLimits } : said;
  const mode = settings.mode === 'never' && reboot !== 'never' ? 'never' : (reboot ?? settings.mode);
  return { ...settings, mode, max: Math.min(maxReboots ?? settings.max, settings.max) };
}

function expectReboot(scan: HostScan, workload: HostWorkload, settings: RebootSettings): HostPlan['reboot'] {
  const kernels = workload.updates.filter((update) => update.isKernel);
  const reasons = [
    ...(scan.reboot.needed === 'yes' ? scan.reboot.reasons.map((reason) => `already: ${reason}`) : []),
    ...kernels.map((update) => `${update.name} ${update.to}`),
    ...(settings.mode === 'always' && workload.updates.length > 0 ? ['the playbook says always'] : []),
  ];
  const isDue = scan.reboot.needed === 'yes' || reasons.length > 0;
  return { expected: isDue && settings.mode !== 'never', reasons };
}

function staleWarning(refreshed: { readonly warning?: string }, scan: HostScan): string[] {
  if (refreshed.warning !== undefined) return [refreshed.warning];
  return scan.metadata.isStale ? ['stale package metadata: newer updates may be missing from this plan'] : [];
}

function scanWarnings(scan: HostScan, plan: HostPlan): string[] {
  const isWorking = plan.updates.length > 0;
  const isReboot = plan.reboot.reasons.length > 0 && !plan.reboot.expected;
  return [
    ...(scan.securityKnown ? [] : ['no security source is configured: the number of security updates is unknown']),
    ...(isWorking && !scan.privileges.isRoot ? ['apply will need root: set ansible_become, or log in as root'] : []),
    ...(scan.broken.length > 0 ? ['packages are not properly installed: apply will refuse the host'] : []),
    ...(isReboot ? ['needs a reboot that its settings forbid: it will stay pending-reboot'] : []),
    ...scan.metadata.repositories.flatMap(({ name, problem }) =>
      problem === undefined ? [] : [`${name}: ${problem}`],
    ),
    ...scan.problems.map((problem) => problem.message),
  ];
}
