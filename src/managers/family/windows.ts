import type { Family, HostState, HostSummaryState } from '../contract/family.ts';
import { parseHostJson, type HostObject } from '../contract/json.ts';
import { required, type Sections } from '../contract/sections.ts';
import { readClaim } from './posix-facts.ts';
import {
  readInventory,
  readPrograms,
  readWindowsDisks,
  readWindowsFacts,
  readWindowsHealth,
  readWindowsPrivileges,
  readWindowsProblems,
  readWindowsReboot,
  readWindowsRunning,
} from './windows-facts.ts';
import { noAdministrator, refuseProblem } from './windows-refusals.ts';

/** Windows and Windows Server. Without the rights of an administrator neither a summary nor a scan can be had. */
export const windows: Family = {
  name: 'windows',
  parseSummary: (sections, collectedMs) => summaryOf(sections, readHost(sections), collectedMs),
  parseState,
};

function readHost(sections: Sections): HostObject {
  refuseProblem(sections);
  return parseHostJson(required(sections, 'windows'), 'facts');
}

function summaryOf(sections: Sections, host: HostObject, collectedMs: number): HostSummaryState {
  const active = readClaim(sections);
  const facts = readWindowsFacts(host, sections, collectedMs);
  const privileges = readWindowsPrivileges(host);
  if (!privileges.isRoot) throw noAdministrator(privileges.user);
  return {
    collectedMs,
    facts,
    privileges,
    disks: readWindowsDisks(host),
    running: readWindowsRunning(host),
    ...(active === undefined ? {} : { active }),
    problems: readWindowsProblems(host),
  };
}

function parseState(sections: Sections, collectedMs: number): HostState {
  const host = readHost(sections);
  return {
    ...summaryOf(sections, host, collectedMs),
    reboot: readWindowsReboot(host),
    health: readWindowsHealth(host),
    inventory: readInventory(host),
    programs: readPrograms(host),
  };
}
