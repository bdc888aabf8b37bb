/** One line of work in the package manager's own dry run. */
export interface SimulatedUpdate {
  readonly name: string;
  readonly arch: string;
  /** null = new on this host. */
  readonly from: string | null;
  readonly to: string;
  readonly origins: readonly string[];
}

/** What the host's package manager would do under the given pins, right now. */
export interface Simulation {
  readonly installs: readonly SimulatedUpdate[];
  readonly removes: readonly { readonly name: string; readonly arch: string; readonly version: string }[];
  /** Bytes still to download. */
  readonly downloadBytes: number;
  /** The manager's own error lines (`E: …`). */
  readonly errors: readonly string[];
  /** Current state of the packages asked about: null = not installed. */
  readonly installed: Readonly<Record<string, { readonly version: string; readonly status: string } | null>>;
  /** Versions the host's metadata offers for the packages asked about, newest first, with their origins. */
  readonly available: Readonly<
    Record<string, readonly { readonly version: string; readonly origins: readonly string[] }[]>
  >;
  /** What stands on offer for an asked package that has left, where it has another name or id, by `name:arch`. */
  readonly successors?: Readonly<Record<string, SimulatedUpdate>>;
  /** Asked packages that their publisher replaces several times a day, `name:arch`: one that has left is no drift. */
  readonly renewing?: readonly string[];
}
