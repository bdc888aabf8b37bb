import type { Budget, Hook, HookWhen, InstallSettings, Policy, RebootSettings, VerifySettings } from './playbook.ts';
import type { ErrorRecord } from './error.ts';
import type { Removal } from './simulation.ts';
import type { HeldBack } from './held-back.ts';
import type { PackageId, UpdateClass, UpdateDetails } from './update.ts';

/** One package to be updated from exactly `from` to exactly `to`. `from: null` = a new dependency. */
export interface PlannedUpdate extends PackageId, UpdateDetails {
  readonly from: string | null;
  readonly to: string;
  readonly class: UpdateClass;
  readonly origins: readonly string[];
  readonly isKernel: boolean;
  /** Why it is planned: `security`, `included by …`, `needed by …`. */
  readonly reason: string;
  /** True where this version first occurs in a later wave than the first: no earlier wave tried it. */
  readonly untried: boolean;
}

/** An update that exists but is not in the plan, with the reason for an auditor. */
export interface LeftOut extends PackageId, UpdateDetails {
  readonly from: string;
  readonly to: string;
  readonly class: UpdateClass;
  readonly reason: string;
  readonly heldBack?: HeldBack;
}

/** The part of an install that one package manager does. */
interface InstallStep {
  readonly manager: string;
  /** What happens to the steps behind it where this one fails. */
  readonly afterFailure: 'stop' | 'continue';
}

export interface HostPlan {
  readonly host: string;
  readonly hostId: string;
  /** Index into `Plan.waves`; -1 = nothing to do on it, so it is in no wave. */
  readonly wave: number;
  /** Every package manager on it. */
  readonly managers: readonly string[];
  /** One for each package manager that has updates here, in the order in which they install. */
  readonly steps: readonly InstallStep[];
  readonly osName: string;
  readonly machineId?: string;
  readonly updates: readonly PlannedUpdate[];
  readonly removals: readonly Removal[];
  readonly leftOut: readonly LeftOut[];
  readonly securityKnown: boolean;
  /** Why the list of updates that this was made from may lack some; absent where it was complete. */
  readonly gaps?: readonly string[];
  readonly downloadBytes: number;
  readonly reboot: { readonly expected: boolean; readonly reasons: readonly string[] };
  /** Resolved for this host: the playbook's mode, `patch_reboot: never` having won. */
  readonly rebootSettings: RebootSettings;
  readonly metadataFetchedMs?: number;
  /** SHA-256 of the host's resolved, secret-free variables. */
  readonly inventorySha256: string;
  readonly clusters: readonly string[];
  /** Hosts of the inventory that its connection passes through; absent = none. They are worked on after it. */
  readonly via?: readonly string[];
  /** The update server it fetches from, where its package manager reports one. */
  readonly source?: string;
}

/** A host that was selected but takes no part. */
export interface PlanAbsence {
  readonly host: string;
  readonly hostId: string;
  readonly kind: 'unreachable' | 'failed' | 'disabled' | 'duplicate' | 'skipped';
  readonly reason: string;
  readonly error?: ErrorRecord;
}

export interface PlannedWave {
  readonly name: string;
  /** In the order of admission. */
  readonly hosts: readonly string[];
  readonly concurrency: number;
  /** Its own, besides the run's. */
  readonly budget?: Budget;
}

export interface PlannedHook extends Hook {
  /** SHA-256 of the script or of the argument list's JSON, hex. */
  readonly sha256: string;
}

/**
 * Everything that will happen; `apply` reads nothing else. Written as RFC 8785 canonical JSON and one newline; the
 * SHA-256 of the file's bytes is the plan's hash.
 */
export interface Plan {
  readonly kind: 'plan';
  readonly version: 2;
  readonly id: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly fettleVersion: string;
  readonly playbook: { readonly name: string; readonly sha256: string };
  readonly select: string;
  readonly limit?: string;
  /** Seed of the order within waves. */
  readonly seed: number;
  readonly concurrency: number;
  /** Hosts at once of one update server; absent = no limit of its own. */
  readonly perSource?: number;
  /** Of the whole run, over the hosts of its waves. */
  readonly budget: Budget;
  readonly waves: readonly PlannedWave[];
  readonly policy: Policy;
  readonly install: InstallSettings;
  readonly reboot: RebootSettings;
  readonly verify: VerifySettings;
  readonly hooks: Readonly<Record<HookWhen, readonly PlannedHook[]>>;
  readonly hosts: readonly HostPlan[];
  readonly absent: readonly PlanAbsence[];
  readonly warnings: readonly string[];
}

/** How many hosts the plan works on: the denominator of the run's budget. */
export function countWorking({ waves }: Pick<Plan, 'waves'>): number {
  return waves.reduce((sum, wave) => sum + wave.hosts.length, 0);
}

/** The plan of some of its hosts; all others stay as they are. */
export function narrowed(plan: Plan, names: ReadonlySet<string>): Plan {
  return {
    ...plan,
    hosts: plan.hosts.filter((host) => names.has(host.host)),
    absent: plan.absent.filter((item) => names.has(item.host)),
    waves: plan.waves.map((wave) => ({ ...wave, hosts: wave.hosts.filter((name) => names.has(name)) })),
  };
}

/**
 * True when updates may be missing from the host's part: its lists were never fetched or older than the plan allows, or
 * it could not name all updates.
 */
export function isUncertain(host: HostPlan, { createdMs, install }: Pick<Plan, 'createdMs' | 'install'>): boolean {
  const { metadataFetchedMs, gaps = [] } = host;
  return gaps.length > 0 || metadataFetchedMs === undefined || createdMs - metadataFetchedMs > install.maxAgeMs;
}
