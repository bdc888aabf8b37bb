import { FettleError } from '../domain/error.ts';
import type { HostScan, HostSummary, Metadata, RebootState } from '../domain/scan.ts';
import type { Family, HostState } from './contract/family.ts';
import type { PackageManager, PackageScan } from './contract/package-manager.ts';
import { firstLine, linesOf, type Sections } from './contract/sections.ts';
import { familyNamed, isPackageManager, packageManagerNamed, packageManagerNames } from './registry.ts';

/** Package managers of this version that the answer names, in the order in which they install. */
export function reportedManagers(sections: Sections): readonly string[] {
  const found = new Set(linesOf(sections, 'managers'));
  return packageManagerNames.filter((name) => found.has(name));
}

/** Those that the host has and that are missing from the answer: their scripts were not sent. */
export function unscannedManagers(sections: Sections): readonly string[] {
  const scanned = new Set(linesOf(sections, 'scanned').filter(isPackageManager));
  return reportedManagers(sections).filter((name) => !scanned.has(name));
}

export interface ScanLimits {
  /** The controller's clock when the answer arrived, epoch ms. */
  readonly collectedMs: number;
  /** Metadata older than this is stale, milliseconds. */
  readonly maxAgeMs: number;
}

/** The probe's answer as one scan, whatever family and package managers the host has. */
export function readHostScan(sections: Sections, { collectedMs, maxAgeMs }: ScanLimits): HostScan {
  const { family, managers } = hostOf(sections);
  const { programs = [], ...state } = family.parseState(sections, collectedMs);
  const moment = { collectedMs, maxAgeMs, facts: state.facts, privileges: state.privileges };
  const scans = managers.map((manager) => manager.parseScan(sections, moment));
  const packages = [...scans.flatMap((scan) => scan.packages), ...programs];
  const history = scans.flatMap((scan) => scan.history ?? []);
  return {
    ...state,
    ...withSource(state, scans),
    managers: managers.map((manager) => manager.name),
    packages,
    autoInstalled: scans.flatMap((scan) => scan.autoInstalled ?? []),
    updates: scans.flatMap((scan) => scan.updates),
    newPackages: scans.flatMap((scan) => scan.newPackages ?? []),
    // Software without security classes does not make those of the system unknown.
    securityKnown: scans.every((scan) => scan.securityKnown !== false),
    metadata: mergeMetadata(scans),
    reboot: withReasons(state.reboot, managers, scans),
    broken: packages.filter((item) => item.state === 'broken'),
    conffileLeftovers: scans.flatMap((scan) => scan.leftovers ?? []),
    problems: [...state.problems, ...scans.flatMap((scan) => scan.problems)],
    ...(history.length === 0 ? {} : { history }),
  };
}

/** The answer to the probe's verb `state`: a scan that did not search for updates. */
export function readHostState(sections: Sections, collectedMs: number): HostScan {
  const { family, managers } = hostOf(sections);
  const { programs = [], ...state } = family.parseState(sections, collectedMs);
  const states = managers.map((manager) => manager.parseState(sections));
  const packages = [...states.flatMap((item) => item.packages), ...programs];
  return {
    ...state,
    isStateOnly: true,
    managers: managers.map((manager) => manager.name),
    packages,
    autoInstalled: [],
    updates: [],
    securityKnown: true,
    metadata: { repositories: [], isStale: false },
    broken: packages.filter((item) => item.state === 'broken'),
    conffileLeftovers: states.flatMap((item) => item.leftovers ?? []),
    problems: [...state.problems, ...states.flatMap((item) => item.problems)],
  };
}

/** The answer to the probe's verb `summary`. */
export function readHostSummary(sections: Sections, collectedMs: number): HostSummary {
  const { family, managers } = hostOf(sections);
  const installed = managers.flatMap((manager) => manager.parseState(sections).packages);
  return {
    ...family.parseSummary(sections, collectedMs),
    managers: managers.map((manager) => manager.name),
    broken: installed.filter((item) => item.state === 'broken'),
  };
}

interface FoundHost {
  readonly family: Family;
  readonly managers: readonly PackageManager[];
}

function hostOf(sections: Sections): FoundHost {
  const family = familyNamed(firstLine(sections, 'family') ?? '');
  const names = reportedManagers(sections);
  if (family !== undefined && names.length > 0) return { family, managers: names.map(packageManagerNamed) };
  const os = linesOf(sections, 'os-release').find((line) => line.startsWith('PRETTY_NAME='));
  throw new FettleError('config', `no package manager is found on it${os === undefined ? '' : ` (${os.slice(12)})`}`, {
    hint: `this version patches hosts that have ${packageManagerNames.join(', ')}`,
  });
}

/** Lists of the host as a whole: as old as the oldest, stale where one is, failed where one did. */
function mergeMetadata(scans: readonly PackageScan[]): Metadata {
  const all = scans.flatMap((scan) => scan.metadata ?? []);
  const fetched = all.map((item) => item.fetchedMs);
  const isFetched = fetched.length > 0 && !fetched.includes(undefined);
  const refreshFailed = all.find((item) => item.refreshFailed !== undefined)?.refreshFailed;
  return {
    ...(isFetched ? { fetchedMs: Math.min(...fetched.flatMap((ms) => ms ?? [])) } : {}),
    repositories: all.flatMap((item) => item.repositories),
    isStale: all.some((item) => item.isStale),
    ...(refreshFailed === undefined ? {} : { refreshFailed }),
  };
}

/** A sign of the host that bears the name of a package manager has been counted already. */
function withReasons(
  reboot: RebootState,
  managers: readonly PackageManager[],
  scans: readonly PackageScan[],
): RebootState {
  const signs = new Set(reboot.signs?.map((sign) => sign.code));
  const reasons = scans.flatMap(({ rebootReason }, at) =>
    rebootReason === undefined || signs.has(managers[at]?.name ?? '') ? [] : [rebootReason],
  );
  if (reasons.length === 0) return reboot;
  return { ...reboot, needed: 'yes', reasons: [...reboot.reasons, ...reasons] };
}

function withSource({ inventory }: HostState, scans: readonly PackageScan[]): Pick<HostScan, 'inventory'> {
  const source = scans.find((scan) => scan.source !== undefined)?.source;
  return inventory === undefined || source === undefined ? {} : { inventory: { ...inventory, updateSource: source } };
}
