import type { PlannedUpdate } from '../../domain/plan.ts';
import type { InstallSettings } from '../../domain/playbook.ts';
import type { ScriptInput } from '../../remote/script.ts';
import type { PackageManager, Pin, Remedies } from '../contract/package-manager.ts';
import type { Sections } from '../contract/sections.ts';
import { compareRpmVersions } from '../versions/rpm.ts';
import type { RpmAnswer } from './answer.ts';
import { readInstall } from './install.ts';
import { readScan, readState } from './scan.ts';
import { readSimulation } from './simulation.ts';

/** What differs among the package managers that install packages of rpm. */
export interface RpmFrontEnd {
  readonly name: string;
  readonly remedies: Remedies;
  /** The answer to a scan; `command` where the package manager could not give one. */
  readonly readScanAnswer: (sections: Sections) => RpmAnswer;
  /** The same for a simulation. */
  readonly readSimulationAnswer: (sections: Sections) => RpmAnswer;
}

/** A package manager over rpm, which has the packages, their versions and what is read back after an install. */
export function overRpm({ name, remedies, readScanAnswer, readSimulationAnswer }: RpmFrontEnd): PackageManager {
  return {
    name,
    role: 'system',
    limits: { conffile: 'the packages decide whether a changed file is kept; see the .rpmnew and .rpmsave files' },
    remedies,
    parseState: (sections) => readState(name, sections),
    parseScan: (sections, moment) => readScan(name, sections, readScanAnswer(sections), moment),
    simulateRequest: (updates) => ({ rows: rowsOf(updates) }),
    parseSimulation: (sections) => readSimulation(name, sections, readSimulationAnswer(sections)),
    installRequest: changeRequest,
    refreshRequest: (lockWaitMs) => ({ fields: { lock_wait: Math.ceil(lockWaitMs / 1000) } }),
    repairRequest: changeRequest,
    readInstall: (result, planned, attempted) => readInstall(name, result, planned, attempted),
    compareVersions: compareRpmVersions,
  };
}

function changeRequest(updates: readonly PlannedUpdate[], { lockWaitMs }: InstallSettings): ScriptInput {
  return { fields: { lock_wait: Math.ceil(lockWaitMs / 1000) }, rows: rowsOf(updates) };
}

function rowsOf(updates: readonly Pin[]): readonly (readonly string[])[] {
  return updates.map(({ name, arch, to }) => [name, arch, to]);
}
