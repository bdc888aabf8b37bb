import { excludedSoftware } from '../contract/software.ts';
import type { InstallSettings } from '../../domain/playbook.ts';
import type { HeldBack } from '../../domain/held-back.ts';
import type { InstalledPackage, Update } from '../../domain/update.ts';
import type { Limits, PackageManager, PackageScan } from '../contract/package-manager.ts';
import { required, type Sections } from '../contract/sections.ts';
import { refuseProblem } from '../family/windows-refusals.ts';
import { readSoftwareInstall } from './software-install.ts';
import { readSoftwareLists, type ListFormat, type SoftwareLists } from './software-lists.ts';
import { softwareWord, type SoftwarePackage } from './software-package.ts';
import { simulateSoftware } from './software-simulation.ts';

export interface SoftwareTraits {
  readonly format: ListFormat;
  readonly limits: Limits;
  /** It lists programs that update themselves, outside of any plan. */
  readonly listsForeign?: boolean;
}

/**
 * A package manager of software beside Windows itself. Its lists are made by the scan task and are a section of its name;
 * it keeps no lists of its source on the host, classifies nothing, and installs what a playbook names by a pattern.
 */
export function softwareManager({ format, limits, listsForeign = false }: SoftwareTraits): PackageManager {
  const { name } = format;
  const listsOf = (sections: Sections): SoftwareLists => readSoftwareLists(required(sections, name), format);
  const updatesOf = ({ packages }: SoftwareLists): readonly Update[] =>
    packages.flatMap((item) => toUpdate(name, item)).sort((left, right) => (left.name < right.name ? -1 : 1));
  return {
    name,
    role: 'software',
    isCaseIgnored: true,
    limits,
    isUntested: true,
    parseState: () => ({ packages: [], problems: [] }),
    parseScan: (sections): PackageScan => {
      const lists = listsOf(sections);
      return {
        packages: lists.packages.map((item) => toInstalled(name, item, listsForeign)),
        updates: updatesOf(lists),
        problems: lists.warnings.map((message) => ({ code: 'software', message, isIncomplete: true })),
      };
    },
    simulateRequest: (updates) => ({ rows: updates.map((update) => [update.name, update.to]) }),
    parseSimulation: (sections) => {
      refuseProblem(sections);
      const lists = listsOf(sections);
      return simulateSoftware(name, sections, lists, updatesOf(lists));
    },
    installRequest: (updates, settings) => ({
      fields: { ...timeFields(settings), ...(settings.mode === undefined ? {} : { mode: settings.mode }) },
      rows: updates.map((update) => [update.name, update.to]),
    }),
    readInstall: (result, planned, attempted) => readSoftwareInstall(result, format, planned, attempted),
  };
}

function timeFields({ lockWaitMs, timeoutMs }: InstallSettings): Record<string, number> {
  return { lock_wait: Math.ceil(lockWaitMs / 1000), limit: Math.ceil(timeoutMs / 1000) };
}

function toInstalled(manager: string, item: SoftwarePackage, isForeign: boolean): InstalledPackage {
  const { name, version, isPinned } = item;
  return {
    ...{ manager, name, arch: '', version, state: 'installed' as const, source: manager, sourceVersion: version },
    ...(isPinned ? { isHeld: true as const } : {}),
    ...(isForeign ? { unattended: 'changes' as const } : {}),
  };
}

function toUpdate(manager: string, item: SoftwarePackage): Update[] {
  const { name, title, version, available } = item;
  if (available === undefined || !softwareWord.test(available)) return [];
  const heldBack: HeldBack = item.isPinned ? { kind: 'held' } : excludedSoftware(manager);
  return [
    {
      manager,
      name,
      arch: '',
      from: version,
      to: available,
      origins: [manager],
      class: 'unknown',
      heldBack,
      isKernel: false,
      ...(title === undefined || title === '' ? {} : { title }),
    },
  ];
}
