// Rows of the answers the ledger gives; reports draw them. Times are epoch milliseconds, UTC.
import type { ErrorRecord } from './error.ts';
import type { AbsentHost, Operator, RunKind } from './event.ts';
import type { Change, UpdateState, Verdict } from './outcome.ts';
import type { HostLabels } from './labels.ts';
import type { ScanStatus } from './scan-status.ts';
import type { PackageId, PackageState, UpdateClass } from './update.ts';

export interface RunRow {
  readonly run: string;
  readonly kind: RunKind;
  readonly startedMs: number;
  readonly endedMs?: number;
  readonly exitCode?: number;
  readonly exitName?: string;
  readonly reasons: readonly string[];
  readonly operator: Operator;
  readonly playbook?: string;
  readonly planSha256?: string;
  readonly ticket?: string;
  readonly reason?: string;
  readonly hosts: readonly string[];
  /** Hosts of its plan with nothing to do. */
  readonly idle?: readonly string[];
  /** Hosts that took no part in its plan. */
  readonly absent?: readonly AbsentHost[];
  readonly counts: Readonly<Record<string, number>>;
}

export interface HostRunRow {
  readonly host: string;
  readonly hostId: string;
  readonly attempt: number;
  readonly wave?: number;
  readonly startedMs: number;
  readonly endedMs?: number;
  readonly verdict?: Verdict;
  readonly change?: Change;
  readonly reason?: string;
  readonly hint?: string;
  readonly error?: ErrorRecord;
  /** The step it is in, or ended in. */
  readonly step?: string;
  /** What it belonged to when the run began; absent where that was not recorded. */
  readonly labels?: HostLabels;
}

export interface UpdateResultRow {
  readonly host: string;
  /** Absent where it is not known. */
  readonly manager?: string;
  readonly name: string;
  readonly arch: string;
  readonly from?: string;
  readonly to: string;
  readonly now?: string;
  readonly state: UpdateState;
}

export interface RebootRow {
  readonly host: string;
  readonly run: string;
  readonly atMs: number;
  readonly bootIdBefore: string;
  readonly bootIdAfter: string;
  readonly reasons: readonly string[];
  readonly downMs: number;
}

export interface FindingRow {
  readonly host: string;
  readonly check: string;
  readonly level: string;
  readonly message: string;
}

export interface RunDetail {
  readonly run: RunRow;
  readonly waves: readonly {
    readonly name: string;
    readonly hosts: readonly string[];
    readonly startedMs: number;
    readonly endedMs?: number;
  }[];
  readonly hosts: readonly HostRunRow[];
  readonly updates: readonly UpdateResultRow[];
  readonly findings: readonly FindingRow[];
  readonly reboots: readonly RebootRow[];
  readonly notes: readonly {
    readonly atMs: number;
    readonly host?: string;
    readonly level: string;
    readonly message: string;
  }[];
}

export interface LogRow {
  readonly step: string;
  readonly name?: string;
  readonly attempt: number;
  readonly startedMs: number;
  readonly endedMs?: number;
  readonly ok?: boolean;
  readonly message?: string;
  readonly output?: Uint8Array;
}

/** The latest scan of a host. */
export interface ScannedStatus extends ScanStatus {
  readonly scannedMs: number;
  /** Older than the question allows, whatever it found. */
  readonly isOld: boolean;
}

export interface StatusQuestion {
  readonly asOfMs: number;
  /** A scan that is older than this at that time does not count as current. */
  readonly maxScanAgeMs: number;
}

/** One host that the ledger or an inventory knows, up to some time. Without a scan nothing is known of its updates. */
export type HostStatusRow = {
  readonly host: string;
  /** Absent where only its name was recorded: it was selected and never contacted. */
  readonly hostId?: string;
  /** When it was first contacted, or else selected; absent where no run ever selected it. */
  readonly firstSeenMs?: number;
  /** The first of the latest attempts that did not reach it, all of them later than the last scan. */
  readonly unreachableSinceMs?: number;
  /** The same for attempts that reached it and failed to scan it. */
  readonly failedSinceMs?: number;
  /** Why the latest of them failed. */
  readonly lastFailure?: string;
  /** The run that selected it first, where none contacted it. */
  readonly selectedBy?: string;
  readonly lastVerdict?: Verdict;
  readonly lastRun?: string;
  /** What it belonged to in the latest run that named it; absent where that was not recorded. */
  readonly labels?: HostLabels;
} & (ScannedStatus | { readonly scannedMs?: undefined });

export interface PendingUpdateRow {
  readonly manager: string;
  readonly name: string;
  readonly arch: string;
  readonly to: string;
  /** What people call it, where the name is a number. */
  readonly title?: string;
  readonly class: UpdateClass;
  readonly source?: string;
  readonly sourceVersion?: string;
  /** As mapped; `vendorSeverity` is the publisher's own word. */
  readonly severity?: string;
  readonly vendorSeverity?: string;
  readonly advisories?: readonly unknown[];
  readonly cves?: readonly string[];
  readonly origins?: readonly string[];
  /** Bytes to download. */
  readonly sizeBytes?: number;
  readonly firstSeenMs: number;
  readonly hosts: readonly { readonly host: string; readonly from: string; readonly heldBack?: string }[];
}

export interface HostRow {
  readonly host: string;
  readonly hostId: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly osName: string;
  readonly kernel: string;
  readonly arch: string;
  readonly machineId?: string;
  readonly bootId?: string;
  readonly virtualization?: string;
  readonly packages: number;
}

/** One thing that happened on a host, the latest first. */
export interface HistoryRow {
  readonly host: string;
  readonly atMs: number;
  /** `update`: an update in a run of fettle; `run`: how a run ended badly there; `own`: the host's own record. */
  readonly kind: 'update' | 'run' | 'own';
  /** Of an update: its name; KB number or id on Windows. */
  readonly name?: string;
  readonly from?: string;
  /** Version, or revision on Windows. */
  readonly to?: string;
  /** A state of an update, a verdict, or the result in the host's own record. */
  readonly state: string;
  readonly isBad: boolean;
  readonly title?: string;
  readonly message?: string;
  readonly run?: string;
  /** Package manager of an update. */
  readonly manager?: string;
  /** What the host belonged to when the run began; absent where that was not recorded. */
  readonly labels?: HostLabels;
  /** Who requested it, by the host's own record. */
  readonly client?: string;
}

export interface HistoryQuestion {
  /** By name or id; absent: every host. */
  readonly host?: string;
  /** Only hosts of these names. */
  readonly names?: readonly string[];
  readonly isBadOnly: boolean;
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Glob on names of updates, whatever their case. */
  readonly update?: string;
  readonly limit: number;
}

export interface HistoryAnswer {
  readonly rows: readonly HistoryRow[];
  /** There are more rows than the limit. */
  readonly isCut: boolean;
}

export interface PackageRow extends PackageId {
  readonly version: string;
  readonly state: PackageState;
  /** The package manager's own word for a state that is broken. */
  readonly stateDetail?: string;
  readonly isHeld: boolean;
}

export interface PackagesAnswer {
  readonly scannedMs: number;
  readonly packages: readonly PackageRow[];
}

/** A host as `report hosts` shows it; without `facts` it was never scanned. */
export interface KnownHostRow {
  readonly status: HostStatusRow;
  readonly facts?: HostRow;
}

export interface PendingRebootRow {
  readonly host: string;
  readonly sinceMs: number;
  readonly reasons: readonly string[];
}

export interface RebootsAnswer {
  readonly pending: readonly PendingRebootRow[];
  /** The latest first. */
  readonly done: readonly RebootRow[];
}

export interface LedgerStats {
  readonly path: string;
  /** Of the file, as PRAGMA user_version has it. */
  readonly ledgerSchema: number;
  readonly sizeBytes: number;
  readonly events: number;
  readonly runs: number;
  readonly hosts: number;
  readonly blobs: number;
  readonly blobBytes: number;
  readonly firstMs?: number;
  readonly lastMs?: number;
  /** `seq:hash` of the last event. */
  readonly head: string;
}

export interface LedgerCheck {
  readonly events: number;
  readonly blobs: number;
  readonly head: string;
  /** What the chain was compared with. */
  readonly heads: {
    /** Kept beside the ledger. */
    readonly saved: number;
    /** `seq:hash`. */
    readonly latestSaved?: string;
    /** Given by whoever asked: on the command line, or signed. */
    readonly given: readonly string[];
  };
  /** Empty: the ledger is what was written. */
  readonly problems: readonly string[];
}
