import type { PackageId, PackageState } from './update.ts';

/** One line of work in the package manager's own dry run. */
export interface SimulatedUpdate extends PackageId {
  /** null = new on this host. */
  readonly from: string | null;
  readonly to: string;
  readonly origins: readonly string[];
  /** Bytes to download; absent where nothing is, or it is not known. */
  readonly sizeBytes?: number;
}

export interface Removal extends PackageId {
  readonly version: string;
}

/** Where one package stands. */
export interface Standing {
  readonly version: string;
  readonly state: PackageState;
  /** The package manager's own word for it. */
  readonly stateDetail?: string;
}

/** What the host's package manager would do under the given pins, right now. */
export interface Simulation {
  readonly installs: readonly SimulatedUpdate[];
  readonly removes: readonly Removal[];
  /** Bytes still to download, where they were asked for. */
  readonly downloadBytes: number;
  /** The manager's own error lines (`E: …`). */
  readonly errors: readonly string[];
  /** Current state of the packages asked about, by their keys: null = not installed. */
  readonly installed: Readonly<Record<string, Standing | null>>;
  /**
   * Versions that the host's metadata offers for the packages asked about, newest first, with their origins; by
   * `name:arch`, or by the name where the package manager names no architecture. Where all of them would go in as they are
   * asked for, none need be there.
   */
  readonly available: Readonly<
    Record<string, readonly { readonly version: string; readonly origins: readonly string[] }[]>
  >;
  /** What stands on offer for an asked package that has left, where it has another name or id, by the key of the asked one. */
  readonly successors?: Readonly<Record<string, SimulatedUpdate>>;
  /** Of what the host's answer depends on: an equal one means that it would answer the same. Absent where it has none. */
  readonly fingerprint?: string;
  /** Asked packages that their publisher replaces several times a day, by their keys: one that has left is no drift. */
  readonly renewing?: readonly string[];
}
