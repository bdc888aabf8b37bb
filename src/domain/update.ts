/** `unknown`: the host has no source that says which updates are security updates. Never the same as "none". */
export type UpdateClass = 'security' | 'other' | 'unknown';

/** Why an available version would not go in by itself. */
export type HeldBack =
  | { readonly kind: 'held' }
  | { readonly kind: 'phased'; readonly percent?: number }
  | { readonly kind: 'needs-new'; readonly packages: readonly string[] }
  | { readonly kind: 'needs-removal'; readonly packages: readonly string[] }
  | { readonly kind: 'pinned' }
  /** The host's preferences ask for an older version than the installed one. */
  | { readonly kind: 'downgrade' }
  /** Not offered by default; goes in where the playbook names it: by a pattern, its very name, or nothing but its id. */
  | { readonly kind: 'excluded'; readonly reason: string; readonly unless: 'pattern' | 'name' | 'id' }
  | { readonly kind: 'unknown' };

/** One package for which the host's metadata knows a newer version. */
export interface Update {
  readonly name: string;
  readonly arch: string;
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
  /** What people call it, where the name is a number. */
  readonly title?: string;
  /** Its package manager, where the host has several; absent: that of the scan. */
  readonly manager?: string;
  /** Source package and its version. */
  readonly source?: string;
  readonly sourceVersion?: string;
  /** Mapped to one scale beside `vendorSeverity`; alone it is the publisher's own word, e.g. `Critical`. */
  readonly severity?: string;
  /** The publisher's own word. */
  readonly vendorSeverity?: string;
  /** Advisories that it answers, as the host names them. */
  readonly advisories?: readonly unknown[];
  /** Windows Update's classification: `security`, `critical`, `definition`, `rollup`, `upgrade`, `driver` … */
  readonly classification?: string;
  /** Bytes at most to download. */
  readonly sizeBytes?: number;
  /** Whether it lies on the host already; absent where its manager cannot download ahead. */
  readonly isDownloaded?: boolean;
  readonly cves?: readonly string[];
}

export interface InstalledPackage {
  /** Its package manager, where the host has several. */
  readonly manager?: string;
  readonly name: string;
  readonly arch: string;
  readonly version: string;
  /** dpkg's status abbreviation such as `ii`, `hi`, `iF`; other managers map to these. */
  readonly status: string;
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
 * Updates by what would happen to them, for every place that tells a number. One that is held back counts as such,
 * unless a version behind it closes a security hole: that one would go in.
 */
export function countPending(updates: readonly Update[]): PendingCounts {
  const pending = updates.filter((update) => update.heldBack === undefined || update.securityTo !== undefined);
  const security = pending.filter((update) => update.class === 'security').length;
  return { security, other: pending.length - security, heldBack: updates.length - pending.length };
}

/** `name:arch`, the key of a package within one host. */
export function packageKey(item: { readonly name: string; readonly arch: string }): string {
  return `${item.name}:${item.arch}`;
}

interface Named {
  readonly name: string;
  readonly arch: string;
}

const indexes = new WeakMap<readonly Named[], ReadonlyMap<string, Named>>();

/** The first of the list with that key. The list is indexed once, so that looking up all of another is no search each. */
export function findPackage<Item extends Named>(list: readonly Item[], key: string): Item | undefined {
  const index = (indexes.get(list) as ReadonlyMap<string, Item> | undefined) ?? indexOf(list);
  indexes.set(list, index);
  return index.get(key);
}

function indexOf<Item extends Named>(list: readonly Item[]): ReadonlyMap<string, Item> {
  // From the end, so that the first of a key is what stays.
  return new Map(list.toReversed().map((item) => [packageKey(item), item]));
}
