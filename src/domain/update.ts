import type { HeldBack } from './held-back.ts';

/** `unknown`: the host has no source that classifies security updates. Never the same as "none". */
export type UpdateClass = 'security' | 'other' | 'unknown';

/** Identifies one package on a host. */
export interface PackageId {
  /** A name of `managers/registry.ts`. */
  readonly manager: string;
  readonly name: string;
  /** Architecture; the update id on Windows; empty where the package manager knows none. */
  readonly arch: string;
  /** The version, of packages that are installed beside others of their name, as kernels are. */
  readonly slot?: string;
}

/** A reference to what a publisher wrote about an update. */
export interface Advisory {
  /** As its publisher names it: `DSA-5805-1`, `RHSA-2026:1234`, `KB5034441`. */
  readonly id: string;
  readonly kind: 'security' | 'bugfix' | 'enhancement' | 'other';
  readonly issuedMs?: number;
  readonly url?: string;
}

export type Severity = 'critical' | 'important' | 'moderate' | 'low';

/** What is known of an update besides its versions; it goes from the host's answer into plans, the ledger and reports. */
export interface UpdateDetails {
  /** What people call it, where the name is a number. */
  readonly title?: string;
  /** Source package, where its name or version is not the package's own. */
  readonly source?: string;
  readonly sourceVersion?: string;
  /** The publisher's word on one scale; absent where there is none, or none that is known. */
  readonly severity?: Severity;
  /** The publisher's own word, e.g. `Critical`. */
  readonly vendorSeverity?: string;
  readonly advisories?: readonly Advisory[];
  readonly cves?: readonly string[];
  /** Windows Update's classification: `security`, `critical`, `definition`, `rollup`, `upgrade`, `driver` … */
  readonly classification?: string;
  /** Bytes at most to download. */
  readonly sizeBytes?: number;
}

/** One package for which the host's metadata knows a newer version. */
export interface Update extends PackageId, UpdateDetails {
  /** Installed version. */
  readonly from: string;
  /** The version that a normal upgrade would install (the candidate). */
  readonly to: string;
  /** Archive origins of `to`, e.g. `Debian-Security:12/oldstable-security`. */
  readonly origins: readonly string[];
  readonly class: UpdateClass;
  /** The version that closes the security hole when it is not `to` (hidden behind a newer or phased one). */
  readonly securityTo?: string;
  /** Absent: would go in. */
  readonly heldBack?: HeldBack;
  /** A kernel or another package whose update asks for a reboot by its nature. */
  readonly isKernel: boolean;
  /** Whether it lies on the host already; absent where its manager cannot download ahead. */
  readonly isDownloaded?: boolean;
}

/** The fields of `UpdateDetails` that an update has, and nothing else. */
export function detailsOf(update: UpdateDetails): UpdateDetails {
  const { title, source, sourceVersion, severity, vendorSeverity, advisories, cves, classification, sizeBytes } =
    update;
  return {
    ...(title === undefined ? {} : { title }),
    ...(source === undefined ? {} : { source }),
    ...(sourceVersion === undefined ? {} : { sourceVersion }),
    ...(severity === undefined ? {} : { severity }),
    ...(vendorSeverity === undefined ? {} : { vendorSeverity }),
    ...(advisories === undefined ? {} : { advisories }),
    ...(cves === undefined ? {} : { cves }),
    ...(classification === undefined ? {} : { classification }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
}

/** `broken`: not properly installed, so that its package manager has to repair it before anything else. */
export type PackageState = 'installed' | 'broken';

export interface InstalledPackage extends PackageId {
  readonly version: string;
  readonly state: PackageState;
  /** The package manager's own word for a state that is broken, such as dpkg's `iF`. */
  readonly stateDetail?: string;
  /** Kept at its version by the package manager. */
  readonly isHeld?: true;
  readonly source: string;
  readonly sourceVersion: string;
  /** What may happen to it outside a plan: `leaves` when something newer stands for it, `changes` by itself at any time. */
  readonly unattended?: 'leaves' | 'changes';
}

export interface PendingCounts {
  readonly security: number;
  readonly other: number;
  readonly heldBack: number;
}

/**
 * Updates by what would happen to them, wherever they are counted. One that is held back counts as such,
 * unless a version behind it closes a security hole: that one would go in.
 */
export function countPending(updates: readonly Update[]): PendingCounts {
  const pending = updates.filter((update) => update.heldBack === undefined || update.securityTo !== undefined);
  const security = pending.filter((update) => update.class === 'security').length;
  return { security, other: pending.length - security, heldBack: updates.length - pending.length };
}

/** The key of a package within one host: `apt/libc6:amd64`; a slot follows as `=6.1.0-31`. */
export function packageKey({ manager, name, arch, slot }: PackageId): string {
  return `${manager}/${name}:${arch}${slot === undefined ? '' : `=${slot}`}`;
}

/** What people call a package: `libc6:amd64`, or the name alone where there is no architecture. */
export function packageLabel({ name, arch }: Pick<PackageId, 'name' | 'arch'>): string {
  return arch === '' ? name : `${name}:${arch}`;
}

const indexes = new WeakMap<readonly PackageId[], ReadonlyMap<string, PackageId>>();

/** The first of the list with that key. The list is indexed once, so that many lookups need no search each. */
export function findPackage<Item extends PackageId>(list: readonly Item[], key: string): Item | undefined {
  const index = (indexes.get(list) as ReadonlyMap<string, Item> | undefined) ?? indexOf(list);
  indexes.set(list, index);
  return index.get(key);
}

function indexOf<Item extends PackageId>(list: readonly Item[]): ReadonlyMap<string, Item> {
  // From the end, so that the first of a key is what stays.
  return new Map(list.toReversed().map((item) => [packageKey(item), item]));
}
