import type { JobResult } from '../../domain/job.ts';
import type { UpdateResult } from '../../domain/outcome.ts';
import type { HostPlan, PlannedUpdate } from '../../domain/plan.ts';
import type { InstallSettings } from '../../domain/playbook.ts';
import type { HostSummary, HostScan } from '../../domain/scan.ts';
import type { Simulation } from '../../domain/simulation.ts';
import type { ScriptInput, ScriptRequest } from '../../remote/script.ts';

/** Sections of a framed answer by name; a name may come once only. */
export type Sections = ReadonlyMap<string, string>;

/**
 * One package manager. Pure: it says which request to send and how the answer reads; the engine does the sending.
 * Everything the host printed is distrusted: a section that does not read is a `FettleError('parse', …)`.
 */
export interface Manager {
  readonly name: string;
  /** Names of packages mean the same in upper and lower case: in holds and rules they are matched so. */
  readonly isCaseIgnored?: boolean;
  /** Parts of an install that can be had alone; absent: none. */
  readonly installModes?: readonly NonNullable<InstallSettings['mode']>[];
  /** The probe's answer → what is. `collectedMs` is the controller's clock; `maxAgeMs` decides `metadata.isStale`. */
  parseScan(sections: Sections, collectedMs: number, maxAgeMs: number): HostScan;
  /** The same of an answer to the probe's verb `look`, which asks for nothing that takes its time. */
  parseSummary(sections: Sections, collectedMs: number): HostSummary;
  /** Asks the host's manager what exactly these pins would do; for the `simulate` verb of the probe script. */
  simulateRequest(updates: readonly { name: string; arch: string; to: string }[]): ScriptRequest;
  parseSimulation(sections: Sections): Simulation;
  /** The request of an `install` job: installs exactly these or refuses with verdict `drift`. */
  installRequest(updates: readonly PlannedUpdate[], settings: InstallSettings): ScriptInput;
  refreshRequest(lockWaitMs: number): ScriptInput;
  /** Finishes what a job of ours left half done; of these, what is torn goes in at its planned version. */
  repairRequest(updates: readonly PlannedUpdate[], settings: InstallSettings): ScriptInput;
  /** Read back from the package database, never from the exit code. */
  readInstall(result: JobResult, plan: HostPlan, attempted: readonly PlannedUpdate[]): readonly UpdateResult[];
}
