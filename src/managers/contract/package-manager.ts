import type { JobResult } from '../../domain/job.ts';
import type { UpdateResult } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import type { InstallSettings } from '../../domain/playbook.ts';
import type { HistoryEntry, HostFacts, Metadata, Privileges, ScanProblem } from '../../domain/scan.ts';
import type { SimulatedUpdate, Simulation } from '../../domain/simulation.ts';
import type { InstalledPackage, Update } from '../../domain/update.ts';
import type { ScriptInput } from '../../remote/script.ts';
import type { Sections } from './sections.ts';

/** What a scan is judged by, besides the answer itself. */
export interface ScanMoment {
  /** The controller's clock when the answer arrived, epoch ms. */
  readonly collectedMs: number;
  /** Metadata older than this is stale, milliseconds. */
  readonly maxAgeMs: number;
  readonly facts: HostFacts;
  readonly privileges: Privileges;
}

/** What one package manager reports about one host. */
export interface PackageScan {
  readonly packages: readonly InstalledPackage[];
  /** Labels of packages that came as dependencies. */
  readonly autoInstalled?: readonly string[];
  readonly updates: readonly Update[];
  /** Packages not installed yet that the updates would bring in, from its own dry run; absent = not reported. */
  readonly newPackages?: readonly SimulatedUpdate[];
  /** False: which updates are security updates is unknown. Absent where its software has no such classes at all. */
  readonly securityKnown?: boolean;
  /** Absent where it keeps no lists on the host and queries its source every time. */
  readonly metadata?: Metadata;
  /** Configuration files that its packages left beside those in use. */
  readonly leftovers?: readonly string[];
  readonly problems: readonly ScanProblem[];
  /** Where its updates come from, by its own name. */
  readonly source?: string;
  /** Why its own work waits for a reboot, in words; absent = it does not. */
  readonly rebootReason?: string;
  /** The host's own record of updates, whoever installed them. */
  readonly history?: readonly HistoryEntry[];
}

/** What one package manager reports without a search for updates. */
export type PackageState = Pick<PackageScan, 'packages' | 'leftovers' | 'problems'>;

/** What a package manager cannot promise, in words for documents and reports; absent = it can. */
export interface Limits {
  /** Why a plan of it may bring in more than it names. */
  readonly simulation?: string;
  /** Why exactly the planned version may not go in. */
  readonly exactVersion?: string;
  /** Why its updates have no class. */
  readonly securityClass?: string;
  /** Why a plan of it is everything that is pending, or nothing. */
  readonly wholeUpgrade?: string;
  /** Who decides about configuration files that were changed on the host, where `install.conffile` does not. */
  readonly conffile?: string;
}

/** Commands that an operator can run on the host when fettle refuses it: hints name them. */
export interface Remedies {
  /** Shows what an update would do, and changes nothing. */
  readonly simulate?: string;
  /** Repairs packages that are broken. */
  readonly repair?: string;
  /** Frees the space of packages that were downloaded. */
  readonly clean?: string;
}

/**
 * One package manager. Pure: it builds requests and reads answers; the engine sends them. Everything a host printed is
 * distrusted: a section that does not parse is a `FettleError('parse', …)`. `test/managers/contract.ts` is what each one
 * has to pass.
 */
export interface PackageManager {
  readonly name: string;
  /** `system`: it installs the operating system itself, comes first, and where it fails nothing else is begun. */
  readonly role: 'system' | 'software';
  /** Names of packages mean the same in upper and lower case: in holds and rules they match either. */
  readonly isCaseIgnored?: boolean;
  /** Parts of an install that can be done alone; absent: none. */
  readonly installModes?: readonly NonNullable<InstallSettings['mode']>[];
  readonly limits: Limits;
  /** The tests ran no real one, only captured output or a double (docs/tested.md): `scan` names it. */
  readonly isUntested?: true;
  readonly remedies?: Remedies;
  /** What is installed, or broken, from the answer to the probe's verbs `summary` and `state`. */
  parseState(sections: Sections): PackageState;
  /** The answer to the probe's verb `probe`. */
  parseScan(sections: Sections, moment: ScanMoment): PackageScan;
  /** The request for the probe's verb `simulate`: what exactly would installing these do? */
  simulateRequest(updates: readonly Pin[]): ScriptInput;
  parseSimulation(sections: Sections): Simulation;
  /** The request of an `install` job: installs exactly these or refuses with verdict `drift`. */
  installRequest(updates: readonly PlannedUpdate[], settings: InstallSettings): ScriptInput;
  /** The request of a `refresh` job; absent where there are no lists to fetch. */
  readonly refreshRequest?: (lockWaitMs: number) => ScriptInput;
  /** The request of a `repair` job: finishes what a job of fettle left half done. Absent where nothing can be. */
  readonly repairRequest?: (updates: readonly PlannedUpdate[], settings: InstallSettings) => ScriptInput;
  /**
   * The outcome of each of `planned`, read from the package database and never from the exit code. `attempted` are those
   * that the job was sent.
   */
  readInstall(
    result: JobResult,
    planned: readonly PlannedUpdate[],
    attempted: readonly PlannedUpdate[],
  ): readonly UpdateResult[];
  /** Order of two versions of one package: negative, zero or positive. Absent where versions have no order. */
  readonly compareVersions?: (left: string, right: string) => number;
}

/** Exactly this version of this package may go in. */
export type Pin = Pick<PlannedUpdate, 'manager' | 'name' | 'arch' | 'slot' | 'to'>;
