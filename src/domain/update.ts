/** `unknown`: the host has no source that says which updates are security updates. Never the same as "none". */
export type UpdateClass = 'security' | 'other' | 'unknown';

/** Why an available version would not go in by itself. */
export type HeldBack =
  | { readonly kind: 'held' }
  | { readonly kind: 'phased'; readonly percent?: number }
  | { readonly kind: 'needs-new'; readonly packages: readonly string[] }
  | { readonly kind: 'needs-removal'; readonly packages: readonly string[] }
  | { readonly kind: 'pinned' }
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
}

export interface InstalledPackage {
  readonly name: string;
  readonly arch: string;
  readonly version: string;
  /** dpkg's status abbreviation such as `ii`, `hi`, `iF`; other managers map to these. */
  readonly status: string;
  readonly source: string;
  readonly sourceVersion: string;
}

/** `name:arch`, the key of a package within one host. */
export function packageKey(item: { readonly name: string; readonly arch: string }): string {
  return `${item.name}:${item.arch}`;
}
