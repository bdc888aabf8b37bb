import { gapsOf, type HostScan } from './scan.ts';
import { countPending, type PendingCounts } from './update.ts';

/** A scan as tables, reports and the ledger summarise it. */
export interface ScanStatus extends PendingCounts {
  readonly osName: string;
  readonly kernel: string;
  /** False: the number of security updates is unknown. */
  readonly securityKnown: boolean;
  /** The host's own metadata was too old when it was scanned. */
  readonly isStale: boolean;
  /** Updates may be missing from the answer; `problems` give the reason. */
  readonly isIncomplete: boolean;
  /** Absent: never, or not known. */
  readonly metadataFetchedMs?: number;
  readonly rebootNeeded: 'yes' | 'no' | 'unknown';
  readonly rebootReasons: readonly string[];
  /** Packages that are not properly installed. */
  readonly broken: number;
  /** Of the scan and of its repositories, in words. */
  readonly problems: readonly string[];
}

export type SummarisedScan = Pick<
  HostScan,
  'facts' | 'metadata' | 'reboot' | 'updates' | 'securityKnown' | 'broken' | 'problems'
>;

export function scanStatus(scan: SummarisedScan): ScanStatus {
  const { facts, metadata, reboot } = scan;
  return {
    osName: facts.osName,
    kernel: facts.kernel,
    ...countPending(scan.updates),
    securityKnown: scan.securityKnown,
    isStale: metadata.isStale,
    isIncomplete: gapsOf(scan).length > 0,
    ...(metadata.fetchedMs === undefined ? {} : { metadataFetchedMs: metadata.fetchedMs }),
    rebootNeeded: reboot.needed,
    rebootReasons: reboot.reasons,
    broken: scan.broken.length,
    problems: problemsOf(scan),
  };
}

/** Each once, those of repositories with their names. */
function problemsOf({ problems, metadata }: SummarisedScan): string[] {
  const ofRepositories = metadata.repositories.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`${name}: ${problem}`],
  );
  return [...new Set([...problems.map((problem) => problem.message), ...ofRepositories])];
}
