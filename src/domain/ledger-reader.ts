import type { LeaseHolder } from './record.ts';
import type {
  HistoryAnswer,
  HistoryQuestion,
  HostRow,
  HostStatusRow,
  LogRow,
  PackagesAnswer,
  PendingUpdateRow,
  RebootsAnswer,
  RunDetail,
  RunRow,
  StatusQuestion,
} from './report.ts';
import type { Inventory } from './scan.ts';

/**
 * The port through which commands and reports read the record; `RunRecord` is its other side. Every answer follows from
 * the recorded events alone. Times are epoch milliseconds; "as of" a time means from the events up to and including it.
 * A host is given by name or id. Rejections are `FettleError('ledger', …)` unless stated otherwise.
 */
export interface LedgerReader {
  /** The latest runs, the latest first. */
  runs(limit: number): Promise<readonly RunRow[]>;
  /**
   * The run with this id or the only one whose id begins with it, in either case. Without an id: the latest run that
   * worked on hosts, for `toVerify` the latest that left them powered on. Rejects with `usage` where there is none, or
   * more than one.
   */
  findRun(id?: string, toVerify?: boolean): Promise<RunRow>;
  showRun(run: string): Promise<RunDetail | undefined>;
  /** The output of each step on one host, in order; none where the run did not start on it. */
  runLogs(run: string, host: string): Promise<readonly LogRow[]>;
  /** Hex SHA-256 of every file that was recorded as the plan of this id. */
  planHashes(plan: string): Promise<readonly string[]>;
  /** Every host that a run selected, by name. */
  hostStatus(question: StatusQuestion): Promise<readonly HostStatusRow[]>;
  /** Every scanned host, by name. */
  hosts(asOfMs: number): Promise<readonly HostRow[]>;
  /** By name of the update, version and name of the host. */
  pendingUpdates(asOfMs: number): Promise<readonly PendingUpdateRow[]>;
  /** The packages of the latest scan of a host; undefined where it has none. */
  packagesAt(host: string, asOfMs: number): Promise<PackagesAnswer | undefined>;
  reboots(asOfMs: number): Promise<RebootsAnswer>;
  /** What happened on hosts, the latest first; undefined for a host that was never contacted. */
  history(question: HistoryQuestion): Promise<HistoryAnswer | undefined>;
  /** Hardware as of the latest scan of a host id; undefined where that scan has none. */
  inventoryOf(hostId: string): Promise<Inventory | undefined>;
  /** The bytes of this SHA-256 (hex); undefined where they were never stored. */
  getBlob(sha256: string): Promise<Uint8Array | undefined>;
  /** The processes that hold hosts for a run; `controller` is the name of this machine. */
  leaseHolders(run: string, controller: string): Promise<readonly LeaseHolder[]>;
}
