import type { HostScan } from '../../domain/scan.ts';
import type { InstalledPackage } from '../../domain/update.ts';
import type { Sections } from './sections.ts';

/** What a summary and a scan have of the host itself. */
export type HostSummaryState = Pick<
  HostScan,
  'collectedMs' | 'facts' | 'privileges' | 'disks' | 'running' | 'active' | 'problems'
>;

/** What a scan reports about the host itself, whatever its package managers are. */
export type HostState = HostSummaryState &
  Pick<HostScan, 'reboot' | 'kernelBytes' | 'health' | 'inventory'> & {
    /** What is installed besides the packages of package managers; it changes outside of plans. */
    readonly programs?: readonly InstalledPackage[];
  };

/** A kind of operating system: facts, privileges, disks, health, kernel, signs of a pending reboot. Pure, as package managers are. */
export interface Family {
  readonly name: string;
  /** Throws where the host could not be queried at all. */
  parseSummary(sections: Sections, collectedMs: number): HostSummaryState;
  parseState(sections: Sections, collectedMs: number): HostState;
}
