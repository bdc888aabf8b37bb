import type { Lab } from '../lab.ts';
import type { LabHost } from '../lab-host.ts';
import type { HostOptions } from '../options.ts';

/** What the contract has to know of a package manager. */
export interface ContractRow {
  /** As fettle names it. */
  readonly manager: string;
  /** A host with these packages of `packages.ts` in version 1.0, whose repositories offer all of their versions. */
  readonly host: (packages: readonly string[]) => Omit<HostOptions, 'name'>;
  /** A version of such a package in full: `1.1-1` for `1.1`. */
  readonly version: (version: string) => string;
  /** Versions of a package in the database, without what is half installed. */
  readonly installed: (lab: Lab, host: string, name: string) => Promise<readonly string[]>;
  /** Holds the lock of the package manager, by a process of this name, until the returned function is called. */
  readonly holdLock: (host: LabHost, name: string) => Promise<() => Promise<void>>;
  /** Puts 1.2 of lab-moved in the place of its 1.1 where the host fetches its packages. */
  readonly moveOn: (lab: Lab, host: string) => Promise<void>;
  /** Why no such host can be had today, which skips the tests. */
  readonly missing?: string | undefined;
  /** Promises that it cannot keep, each with the reason, which is printed. */
  readonly lacks?: { readonly security?: string };
  /** It installs everything or nothing: a plan that would leave anything out is refused, in these words. */
  readonly wholeUpgrade?: RegExp;
}
