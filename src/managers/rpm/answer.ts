import type { ScanProblem } from '../../domain/scan.ts';

/** One version of a package that a repository offers. */
export interface Offer {
  readonly name: string;
  readonly arch: string;
  /** `[epoch:]version-release`. */
  readonly evr: string;
  readonly repositories: readonly string[];
  /** Bytes to download; 0 where it is not known. */
  readonly size: number;
  /** The file name of its source package; empty where it is not known. */
  readonly source: string;
  /** It is installed beside others of its name, as kernels are. */
  readonly isBeside: boolean;
}

/** One advisory about one version of an installed package, newer than the installed one. */
export interface AdvisoryLine {
  readonly name: string;
  readonly arch: string;
  readonly evr: string;
  readonly id: string;
  readonly kind: 'security' | 'bugfix' | 'enhancement' | 'other';
  readonly severity: string;
  readonly issuedMs?: number;
  readonly cves: readonly string[];
  /** Its publisher asks for a start of the host afterwards. */
  readonly asksForReboot?: boolean;
}

export interface RepositoryLine {
  readonly id: string;
  readonly name: string;
  /** When its lists were compared with the server last, host time, seconds; absent: never. */
  readonly fetchedSec?: number;
  /** When they were made, seconds. */
  readonly madeSec?: number;
  readonly hasAdvisories: boolean;
}

/** A package that would be installed in the place of an installed one of another name. */
export interface Rename {
  readonly old: { readonly name: string; readonly arch: string; readonly evr: string };
  readonly by: { readonly name: string; readonly arch: string; readonly evr: string; readonly repository: string };
}

/** What would go in, and from where it comes. */
export interface StepIn {
  readonly name: string;
  readonly arch: string;
  /** null: no package of that name is installed. */
  readonly from: string | null;
  readonly to: string;
  readonly repository: string;
  /** Bytes to download; 0 where it is not known. */
  readonly size: number;
  readonly isBeside: boolean;
}

/** What a package manager over rpm knows of its host, in whatever form it answers. */
export interface RpmAnswer {
  readonly repositories: readonly RepositoryLine[];
  readonly versions: readonly Offer[];
  /** Newest versions that the settings of the host put out of reach. */
  readonly hidden: readonly Offer[];
  /** Newest versions that a stream of a module hides, with the stream as `module:stream`. */
  readonly modular?: readonly { readonly offer: Offer; readonly module: string }[];
  /** Names that are kept at their version. */
  readonly locked: ReadonlySet<string>;
  readonly advisories: readonly AdvisoryLine[];
  readonly renames: readonly Rename[];
  readonly installs: readonly StepIn[];
  readonly removes: readonly { readonly name: string; readonly arch: string; readonly evr: string }[];
  /** Names whose update takes effect at the next start, by the host's own list; absent: it has none. */
  readonly rebootNames?: ReadonlySet<string>;
  /** What is wrong with the way to its repositories. */
  readonly doubts?: readonly ScanProblem[];
  /** Why something does not go in, in the package manager's own words. */
  readonly troubles: readonly string[];
  /** Bytes to download for everything that goes in, where the package manager reports only the sum. */
  readonly downloadBytes?: number;
  /** Why the package manager asks for a start of the host. */
  readonly rebootReason?: string;
}
