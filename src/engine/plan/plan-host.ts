import { FettleError } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import type { NamedMachine } from '../../domain/identity.ts';
import type { HostPlan } from '../../domain/plan.ts';
import type { InstallSettings, Playbook, Policy, RebootSettings } from '../../domain/playbook.ts';
import { gapsOf } from '../../domain/scan.ts';
import type { HostFacts, HostScan } from '../../domain/scan.ts';
import type { PackageManager } from '../../managers/contract/package-manager.ts';
import { emit } from '../context.ts';
import type { HostPort } from '../connection/host-port.ts';
import { inventorySha256 } from './inventory-hash.ts';
import type { OwnMachine } from '../own-machine.ts';
import { judgeSpace, skewWarning } from '../host/preflight.ts';
import { mergeWorkloads, planWorkload, refusePartial, scanOf } from './resolve-updates.ts';
import type { HostWorkload } from './resolve-updates.ts';
import { refreshWhenStale } from './refresh.ts';
import type { FanOut } from '../fleet/for-each-host.ts';
import { scanned } from '../fleet/scan-events.ts';

/** What is kept of one host: its plan and what the fleet is judged by, not its scan. */
export interface PlannedHost {
  readonly host: Host;
  /** Its wave is not dealt yet. */
  readonly hostPlan: HostPlan;
  readonly machine: NamedMachine;
  /** Without the host's name, so that equal ones of many hosts fold. */
  readonly warnings: readonly string[];
}

export interface HostOrder extends FanOut {
  readonly playbook: Playbook;
  readonly mayRefresh: boolean;
  readonly own: OwnMachine;
}

/** Scans one host, refreshes its metadata where allowed, and has its package manager simulate the update. */
export async function planHost(order: HostOrder, host: Host): Promise<PlannedHost> {
  const { context, playbook } = order;
  const { install, policy } = playbook;
  await using remote = order.remote(host);
  const first = await remote.scan({ maxAgeMs: install.maxAgeMs, signal: context.detach });
  const refreshed = order.mayRefresh
    ? await refreshWhenStale({ context, host, remote, scan: first, install })
    : { scan: first };
  const { scan } = refreshed;
  const managers = scan.managers.map((name) => context.packageManager(name));
  refuseMode(managers, install.mode);
  await emit(context, [scanned(context, host, scan)]);
  const workload = await workloadOf({ order, host, remote, scan }, managers);
  const hostPlan = freeze(host, scan, { playbook, workload, managers });
  return {
    host,
    hostPlan,
    machine: await machineOf({ order, host, remote, facts: scan.facts }),
    warnings: [
      ...staleWarning(refreshed, scan),
      ...driverWarning(host, scan, policy),
      ...conffileWarnings(managers, install.conffile, hostPlan),
      ...scanWarnings(scan, hostPlan),
    ],
  };
}

/** Of each package manager with work that does not do what the playbook asks for. */
function conffileWarnings(
  managers: readonly PackageManager[],
  conffile: InstallSettings['conffile'],
  { updates }: Pick<HostPlan, 'updates'>,
): readonly string[] {
  if (conffile !== 'take-new') return [];
  return managers.flatMap(({ name, limits }) =>
    limits.conffile === undefined || !updates.some((update) => update.manager === name)
      ? []
      : [`install.conffile: take-new has no effect with ${name}: ${limits.conffile}`],
  );
}

interface Scanned {
  readonly order: HostOrder;
  readonly host: Host;
  readonly remote: HostPort;
  readonly scan: HostScan;
}

/** One package manager after the other: each is asked about its own updates alone. */
async function workloadOf(
  { order, host, remote, scan }: Scanned,
  managers: readonly PackageManager[],
): Promise<HostWorkload> {
  const { context, playbook } = order;
  const { install, policy } = playbook;
  const workloads: HostWorkload[] = [];
  for (const manager of managers) {
    const { name, remedies: { simulate: simulateCommand } = {} } = manager;
    const workload = await planWorkload({
      scan: scanOf(scan, name),
      policy,
      patchHold: host.patch.hold,
      names: manager,
      ...(install.mode === undefined ? {} : { mode: install.mode }),
      simulate: (updates) => remote.simulate({ manager: name, updates }, context.detach),
      ...(simulateCommand === undefined ? {} : { simulateCommand }),
    });
    refusePartial(manager, workload, policy);
    workloads.push(workload);
  }
  return mergeWorkloads(workloads);
}

interface Reached {
  readonly order: HostOrder;
  readonly host: Host;
  readonly remote: HostPort;
  readonly facts: HostFacts;
}

async function machineOf({ order, host, remote, facts: found }: Reached): Promise<NamedMachine> {
  const { machineId = '', bootId = '', hostName, isContainer } = found;
  const facts = {
    hostName,
    isContainer,
    ...(machineId === '' ? {} : { machineId }),
    ...(bootId === '' ? {} : { bootId }),
  };
  const { detach } = order.context;
  const endpoint = await remote.endpoint(detach);
  const isController = await order.own.recognises(remote, facts, detach);
  return { host: host.name, facts, isController, ...(endpoint === undefined ? {} : { endpoint }) };
}

/** One that cannot do it alone leaves its updates out; where none can, the playbook is not meant for the host. */
function refuseMode(managers: readonly PackageManager[], mode: InstallSettings['mode']): void {
  if (mode === undefined || managers.some(({ installModes = [] }) => installModes.includes(mode))) return;
  const names = managers.map(({ name }) => name).join(', ');
  throw new FettleError('config', `${names} does not know install.mode: ${mode}; it downloads and installs in one`, {
    hint: 'select only hosts with Windows Update, or remove install.mode',
  });
}

/** In the order of the registry: where the system's own fails, nothing else is begun. */
function stepsOf(managers: readonly PackageManager[], { updates }: HostWorkload): HostPlan['steps'] {
  const working = new Set(updates.map((update) => update.manager));
  return managers
    .filter(({ name }) => working.has(name))
    .map(({ name, role }) => ({ manager: name, afterFailure: role === 'system' ? 'stop' : 'continue' }));
}

interface Frozen {
  readonly playbook: Playbook;
  readonly workload: HostWorkload;
  readonly managers: readonly PackageManager[];
}

function freeze(host: Host, scan: HostScan, { playbook, workload, managers }: Frozen): HostPlan {
  const { machineId } = scan.facts;
  const gaps = gapsOf(scan);
  const { fetchedMs } = scan.metadata;
  const source = sourceOf(scan);
  const rebootSettings = resolveReboot(host, playbook.reboot);
  return {
    host: host.name,
    hostId: host.id,
    wave: -1,
    managers: scan.managers,
    steps: stepsOf(managers, workload),
    osName: scan.facts.osName,
    ...(machineId === undefined ? {} : { machineId }),
    updates: workload.updates,
    removals: [],
    leftOut: workload.leftOut,
    securityKnown: scan.securityKnown,
    ...(gaps.length === 0 ? {} : { gaps }),
    downloadBytes: workload.downloadBytes,
    reboot:
      playbook.install.mode === 'download'
        ? { expected: false, reasons: [] }
        : expectReboot(scan, workload, rebootSettings),
    rebootSettings,
    ...(fetchedMs === undefined ? {} : { metadataFetchedMs: fetchedMs }),
    inventorySha256: inventorySha256(host),
    clusters: host.patch.clusters,
    ...(source === undefined ? {} : { source }),
  };
}

/** The server of the policy where it is in use, else the service by its name; package managers with mirrors report none. */
function sourceOf({ inventory }: HostScan): string | undefined {
  const server = inventory?.updatePolicy['UseWUServer'] === '1' ? inventory.updatePolicy['WUServer'] : undefined;
  const source = server ?? inventory?.updateSource;
  return source === '' ? undefined : source;
}

/** Windows goes on installing before it goes down and again before it lets anybody in, for an hour at worst. */
const windowsLimits = { goDownMs: 20 * 60_000, comeBackMs: 60 * 60_000, settleMs: 15 * 60_000 } as const;

/** Limits that nobody asked for are those of the host's family. */
export function withFamilyLimits(host: Pick<Host, 'connection'>, written: RebootSettings): RebootSettings {
  const { hasDefaultLimits, ...explicit } = written;
  return hasDefaultLimits && host.connection.shell === 'powershell' ? { ...explicit, ...windowsLimits } : explicit;
}

/** `patch_reboot: never` always wins; another `patch_reboot` narrows or widens the playbook's mode. */
export function resolveReboot(host: Pick<Host, 'patch' | 'connection'>, written: RebootSettings): RebootSettings {
  const { reboot, maxReboots } = host.patch;
  const settings = withFamilyLimits(host, written);
  const mode = settings.mode === 'never' && reboot !== 'never' ? 'never' : (reboot ?? settings.mode);
  const isWritten = settings.isWritten === true || reboot === mode;
  const max = Math.min(maxReboots ?? settings.max, settings.max);
  return { ...settings, mode, ...(isWritten ? { isWritten } : {}), max };
}

function expectReboot(scan: HostScan, workload: HostWorkload, settings: RebootSettings): HostPlan['reboot'] {
  const kernels = workload.updates.filter((update) => update.isKernel);
  const reasons = [
    ...(scan.reboot.needed === 'yes' ? scan.reboot.reasons.map((reason) => `already: ${reason}`) : []),
    // One with a title is known by its number, not by its revision.
    ...kernels.map(({ name, to, title }) => (title === undefined ? `${name} ${to}` : name)),
    ...(settings.mode === 'always' && workload.updates.length > 0 ? ['the mode is always'] : []),
  ];
  const isDue = scan.reboot.needed === 'yes' || reasons.length > 0;
  return { expected: isDue && settings.mode !== 'never', reasons };
}

function staleWarning(refreshed: { readonly warning?: string }, scan: HostScan): string[] {
  const { refreshFailed } = scan.metadata;
  if (refreshFailed !== undefined) {
    return [`package lists could not be refreshed, updates may be missing from this plan: ${refreshFailed.message}`];
  }
  if (refreshed.warning !== undefined) return [refreshed.warning];
  return scan.metadata.isStale ? ['stale package metadata: newer updates may be missing from this plan'] : [];
}

/** What is not searched for cannot be found, whatever the playbook includes. */
function driverWarning(host: Host, scan: HostScan, policy: Policy): string[] {
  const isWanted = policy.include.some((rule) => rule.classifications?.includes('driver') === true);
  if (!isWanted || !scan.managers.includes('windows-update') || host.patch.windows?.hasDrivers === true) return [];
  return ['drivers are not searched for: set patch_windows_drivers to find those of the playbook'];
}

function scanWarnings(scan: HostScan, plan: HostPlan): string[] {
  const isWorking = plan.updates.length > 0;
  const isReboot = plan.reboot.reasons.length > 0 && !plan.reboot.expected;
  return [
    ...(scan.securityKnown || gapsOf(scan).length > 0
      ? []
      : ['no security source is configured: the number of security updates is unknown']),
    ...(isWorking && !scan.privileges.isRoot ? ['apply needs root: set ansible_become, or log in as root'] : []),
    ...(scan.broken.length > 0 ? [brokenWarning(scan)] : []),
    ...skewWarning(scan),
    ...spaceWarning(scan, plan),
    ...(isReboot ? ['needs a reboot that its settings forbid: it will stay pending-reboot'] : []),
    ...scan.metadata.repositories.flatMap(({ name, problem }) =>
      problem === undefined ? [] : [`${name}: ${problem}`],
    ),
    ...scan.problems.filter(({ code }) => code !== 'refresh').map((problem) => problem.message),
  ];
}

function brokenWarning({ broken }: HostScan): string {
  const names = broken.map((item) => `${item.name} (${item.stateDetail ?? item.state})`).join(', ');
  return `packages are not properly installed, apply will refuse the host: ${names}`;
}

function spaceWarning(scan: HostScan, plan: HostPlan): string[] {
  const lack = judgeSpace(scan, plan, []);
  return lack === undefined ? [] : [`apply will refuse the host: ${lack.message}`];
}
