import type { HostScan, ScanProblem } from '../../domain/scan.ts';
import type { Family, HostState, HostSummaryState } from '../contract/family.ts';
import { firstLine, linesOf, type Sections } from '../contract/sections.ts';
import { readClaim, readDisks, readFacts, readHealth, readPrivileges, readReboot, readRunning } from './posix-facts.ts';

/** Linux, of whatever distribution. */
export const linux: Family = { name: 'linux', parseSummary, parseState };

function parseSummary(sections: Sections, collectedMs: number): HostSummaryState {
  const active = readClaim(sections);
  return {
    collectedMs,
    facts: readFacts(sections, collectedMs),
    privileges: readPrivileges(sections),
    disks: readDisks(sections),
    running: readRunning(sections),
    ...(active === undefined ? {} : { active }),
    problems: linesOf(sections, 'read-only').map(readOnlyProblem),
  };
}

function parseState(sections: Sections, collectedMs: number): HostState {
  const summary = parseSummary(sections, collectedMs);
  return {
    ...summary,
    problems: [...summary.problems, ...bootProblems(sections)],
    reboot: readReboot(sections, summary.facts),
    ...readKernelBytes(sections),
    health: readHealth(sections, summary.privileges.isRoot),
  };
}

function readOnlyProblem(place: string): ScanProblem {
  return { code: 'disk', message: `${place} is mounted read-only`, isBlocking: true };
}

function bootProblems(sections: Sections): ScanProblem[] {
  const initrd = firstLine(sections, 'missing-initrd');
  return initrd === undefined ? [] : [{ code: 'initrd-missing', message: `kernel ${initrd} has no initrd` }];
}

/** du(1) -k of the newest kernel's files. */
function readKernelBytes(sections: Sections): Pick<HostScan, 'kernelBytes'> {
  const kib = firstLine(sections, 'kernel-kib');
  return kib !== undefined && /^[1-9]\d{0,9}$/.test(kib) ? { kernelBytes: Number(kib) * 1024 } : {};
}
