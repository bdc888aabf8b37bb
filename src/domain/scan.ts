import type { SimulatedUpdate } from './simulation.ts';
import type { InstalledPackage, Update } from './update.ts';

export interface HostFacts {
  readonly machineId?: string;
  /** Linux: /proc/sys/kernel/random/boot_id. The proof of a reboot. */
  readonly bootId?: string;
  /**
   * When PID 1 was started, in clock ticks since the kernel booted (proc(5), starttime). In a container the boot id is
   * that of the machine below it, and this alone changes at its reboot.
   */
  readonly initStart?: number;
  readonly hostName: string;
  readonly family: string;
  readonly osId: string;
  readonly osVersion: string;
  readonly osName: string;
  readonly kernel: string;
  readonly arch: string;
  readonly init: string;
  /** `systemd-detect-virt` style word, `none` on metal; absent when unknown. */
  readonly virtualization?: string;
  readonly isContainer: boolean;
  readonly uptimeSec?: number;
  /** Host wall time minus controller wall time, milliseconds. */
  readonly clockSkewMs?: number;
  readonly dmiUuid?: string;
}

export interface Privileges {
  readonly user: string;
  readonly isRoot: boolean;
}

export interface FileSystem {
  readonly mount: string;
  readonly freeBytes: number;
  readonly freeInodes?: number;
}

export interface RebootSign {
  readonly code: string;
  readonly weight: 'hard' | 'soft';
  readonly words: string;
  readonly isIgnored?: boolean;
}

/** `needed: unknown` where the tool that reports it failed. */
export interface RebootState {
  readonly needed: 'yes' | 'no' | 'unknown';
  readonly reasons: readonly string[];
  /** Every sign of a pending reboot where a host has several; soft and ignored ones alone do not ask for one. */
  readonly signs?: readonly RebootSign[];
  readonly runningKernel: string;
  /** Newest installed kernel of the running flavour; absent without kernel packages. */
  readonly installedKernel?: string;
}

export interface Repository {
  /** The package manager that uses it. */
  readonly manager: string;
  readonly name: string;
  /** Date in the signed Release file, epoch ms. */
  readonly releasedMs?: number;
  /** Its last good answer as far as the host knows, epoch ms; absent = it was never fetched. */
  readonly fetchedMs?: number;
  /** Since when refreshes of it fail, epoch ms; absent = the last one did not, or none is known. */
  readonly failsSinceMs?: number;
  readonly problem?: string;
}

export interface Metadata {
  /** Oldest good answer among the repositories, epoch ms; absent = never fetched. */
  readonly fetchedMs?: number;
  readonly repositories: readonly Repository[];
  readonly isStale: boolean;
  /** The last refresh failed, in whole or for a repository, and none has succeeded since: updates may be missing. */
  readonly refreshFailed?: {
    /** The package manager's own words. */
    readonly message: string;
    readonly sinceMs: number;
  };
}

export interface RunningManager {
  readonly name: string;
  readonly pid: number;
  /** Lock files that it holds. */
  readonly holds?: readonly string[];
}

export interface StaleProcess {
  readonly pid: number;
  readonly name: string;
  readonly unit?: string;
  /** Run by a person under an account of their own: noted, but no verdict on the host. */
  readonly isPersonal?: boolean;
}

/** What runs, to compare before and after. */
export interface Health {
  readonly failedUnits: readonly string[];
  readonly activeServices: readonly string[];
  /** `tcp 0.0.0.0:22 sshd`, ephemeral ports left out. */
  readonly listeners: readonly string[];
  /** Processes that still run deleted code, with the unit that owns them. */
  readonly staleProcesses: readonly StaleProcess[];
  /** Those of `listeners` that people run under their own accounts: noted, but no verdict on the host. */
  readonly personalListeners?: readonly string[];
  /** False when the account may not read other processes' maps. */
  readonly staleKnown: boolean;
}

export interface ScanProblem {
  readonly code: string;
  readonly message: string;
  /** True: nothing is begun on the host while it has this problem. */
  readonly isBlocking?: boolean;
  /** True: because of it the answer may lack updates; a host that has one is never without findings. */
  readonly isIncomplete?: boolean;
}

/** Why the answer of a host may lack updates, in words; none where it is complete. */
export function gapsOf(scan: Pick<HostScan, 'problems'>): readonly string[] {
  return scan.problems.flatMap(({ message, isIncomplete }) => (isIncomplete === true ? [message] : []));
}

/** Hardware and what is installed outside of packages, as far as the host reports it. */
export interface Inventory {
  readonly maker?: string;
  readonly model?: string;
  readonly serial?: string;
  readonly bios?: string;
  readonly processors: readonly { readonly name: string; readonly cores?: number; readonly threads?: number }[];
  readonly memoryBytes?: number;
  readonly adapters: readonly { readonly name: string; readonly mac: string; readonly addresses: readonly string[] }[];
  /** Versions of products that update themselves, by a word such as `office`. */
  readonly products: Readonly<Record<string, string>>;
  readonly domain?: string;
  readonly edition?: string;
  /** Settings of the update client that policy fixes, by their registry names. */
  readonly updatePolicy: Readonly<Record<string, string>>;
  /** Where updates come from, by its own name. */
  readonly updateSource?: string;
}

/** One line of the host's own history of updates, whoever installed it. */
export interface HistoryEntry {
  readonly id: string;
  readonly revision: number;
  /** The KB number, or the id where the title names none. */
  readonly name: string;
  readonly title: string;
  readonly operation: 'install' | 'uninstall' | 'other';
  readonly result: 'succeeded' | 'partly' | 'failed' | 'aborted' | 'unknown';
  /** HRESULT with its meaning, of what did not succeed. */
  readonly message?: string;
  /** The program that asked for it, by its own name. */
  readonly client: string;
  readonly atMs: number;
}

/** The record that guards a host between controllers. */
export interface ActiveClaim {
  readonly run: string;
  readonly job: string;
  readonly controller: string;
}

/** What a host reports at once, without a search for updates. */
export type HostSummary = Pick<
  HostScan,
  'collectedMs' | 'managers' | 'facts' | 'privileges' | 'disks' | 'running' | 'broken' | 'active' | 'problems'
>;

export interface HostScan {
  /** Controller time when the answer arrived, epoch ms. */
  readonly collectedMs: number;
  /** True: it did not search for updates. It has none, no metadata, and what an earlier scan found still holds. */
  readonly isStateOnly?: true;
  /** Every package manager that was found, by its name in `managers/registry.ts`; the system's own comes first. */
  readonly managers: readonly string[];
  readonly facts: HostFacts;
  readonly privileges: Privileges;
  readonly packages: readonly InstalledPackage[];
  /** Labels of packages that came as dependencies. */
  readonly autoInstalled: readonly string[];
  readonly updates: readonly Update[];
  /** Packages not installed yet that the updates would bring in, from the package manager's own dry run; absent = not reported. */
  readonly newPackages?: readonly SimulatedUpdate[];
  /** False: no security source is configured; the number of security updates is unknown, not zero. */
  readonly securityKnown: boolean;
  readonly metadata: Metadata;
  readonly reboot: RebootState;
  readonly health: Health;
  readonly disks: readonly FileSystem[];
  /** What the newest kernel takes on /boot with its initrd; absent = there is none. */
  readonly kernelBytes?: number;
  readonly running: readonly RunningManager[];
  /** Packages that are not properly installed (half-configured and the like). */
  readonly broken: readonly InstalledPackage[];
  /** Conffile leftovers: *.dpkg-dist, *.dpkg-new, *.ucf-dist. */
  readonly conffileLeftovers: readonly string[];
  readonly active?: ActiveClaim;
  readonly problems: readonly ScanProblem[];
  /** Names of the parts of the script that the host was sent; `fettle version` lists their digests. */
  readonly scripts?: readonly string[];
  readonly inventory?: Inventory;
  /** The latest of the host's own history of updates; the ledger keeps each line once. */
  readonly history?: readonly HistoryEntry[];
}

/** `its package lists could not be refreshed (since 2026-11-30 02:51Z): …` */
export function refreshFailureWords({ message, sinceMs }: NonNullable<Metadata['refreshFailed']>): string {
  const since = new Date(sinceMs).toISOString().replace('T', ' ').slice(0, 16);
  return `its package lists could not be refreshed (since ${since}Z): ${message}`;
}
