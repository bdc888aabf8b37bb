import { recordOf } from '../../base/record.ts';
import { FettleError } from '../../domain/error.ts';
import type { UpdateResult } from '../../domain/outcome.ts';
import type { InstallSettings } from '../../domain/playbook.ts';
import type { HostSummary, HostScan, Metadata, Privileges, ScanProblem } from '../../domain/scan.ts';
import type { Simulation } from '../../domain/simulation.ts';
import type { InstalledPackage } from '../../domain/update.ts';
import { packageKey } from '../../domain/update.ts';
import type { ScriptInput } from '../../remote/script.ts';
import type { Manager, Sections } from '../contract/manager.ts';
import { readClaim } from '../family/posix-facts.ts';
import { firstLine, linesOf, required } from '../contract/sections.ts';
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
} from '../family/windows-facts.ts';
import { datedHistory } from './history.ts';
import { readWindowsInstall } from './install.ts';
import { objectAt, parseHostJson, textAt } from '../contract/json.ts';
import type { HostObject } from '../contract/json.ts';
import { noAdministrator, readWindowsUpdateScan } from './records.ts';
import type { SearchBackground, WindowsUpdateRecord, WindowsUpdateScan } from './records.ts';
import { isDefinition, isDefinitionName, nameOf, readWindowsUpdates } from './selection.ts';

/**
 * Windows Update, with Chocolatey and winget beside it where they are. An update is named by its KB number, or by its
 * id where it has none; `arch` is the update id and `to` the revision, so that exactly what was approved goes in. Of
 * other software `arch` is the word `chocolatey` or `winget`.
 */
export const windowsUpdate: Manager = {
  name: 'windows-update',
  isCaseIgnored: true,
  installModes: ['download', 'cached'],
  parseScan,
  parseSummary,
  simulateRequest: (updates) => ({ verb: 'simulate', rows: updates.map(({ name, arch, to }) => [name, arch, to]) }),
  parseSimulation,
  installRequest: (updates, settings) => ({
    fields: { ...timeFields(settings), ...(settings.mode === undefined ? {} : { mode: settings.mode }) },
    rows: updates.map(({ name, arch, to }) => [name, arch, to]),
  }),
  refreshRequest: (lockWaitMs) => ({ fields: { lock_wait: seconds(lockWaitMs) } }),
  repairRequest: (_updates, settings): ScriptInput => ({ fields: timeFields(settings) }),
  readInstall: (result, plan, attempted): readonly UpdateResult[] => readWindowsInstall(result, plan, attempted),
};

function timeFields(settings: InstallSettings): Record<string, number> {
  return { lock_wait: seconds(settings.lockWaitMs), limit: seconds(settings.timeoutMs) };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}

function parseScan(sections: Sections, collectedMs: number, maxAgeMs: number): HostScan {
  refuseProblem(sections);
  const windows = parseHostJson(required(sections, 'windows'), 'facts');
  const summary = summaryOf(sections, windows, collectedMs);
  const scan = readWindowsUpdateScan(required(sections, 'wua'), backgroundOf(windows, summary.privileges));
  return {
    ...summary,
    packages: [...installedUpdates(scan), ...thirdParty(scan), ...readPrograms(windows)],
    autoInstalled: [],
    held: [],
    updates: readWindowsUpdates(scan),
    newPackages: [],
    // What may be missing may be a security update.
    securityKnown: !hasSearchGaps(scan),
    metadata: readMetadata(scan, { collectedMs, maxAgeMs, skewMs: summary.facts.clockSkewMs ?? 0 }),
    reboot: readWindowsReboot(windows, scan.rebootRequired || scan.offered.some((item) => item.isPending)),
    health: readWindowsHealth(windows),
    conffileLeftovers: [],
    problems: problemsOf(windows, scan),
    inventory: readInventory(windows, scan.source.name),
    history: datedHistory(scan.history),
  };
}

/** Nothing can be done there without the rights of an administrator, which no elevation gives. */
function parseSummary(sections: Sections, collectedMs: number): HostSummary {
  refuseProblem(sections);
  const summary = summaryOf(sections, parseHostJson(required(sections, 'windows'), 'facts'), collectedMs);
  if (!summary.privileges.isRoot) throw noAdministrator(summary.privileges.user);
  return summary;
}

function summaryOf(sections: Sections, windows: HostObject, collectedMs: number): HostSummary {
  const active = readClaim(sections);
  return {
    collectedMs,
    manager: 'windows-update',
    facts: readWindowsFacts(windows, sections, collectedMs),
    privileges: readWindowsPrivileges(windows),
    disks: readWindowsDisks(windows),
    running: readWindowsRunning(windows),
    broken: [],
    ...(active === undefined ? {} : { active }),
  };
}

function backgroundOf(windows: HostObject, { user }: Privileges): SearchBackground {
  const policy = objectAt(windows, 'policy');
  const server = textAt(policy, 'WUServer')
    .replace(/[^\x21-\x7e]/g, '')
    .slice(0, 200);
  return { user, ...(textAt(policy, 'UseWUServer') === '1' && server !== '' ? { updateServer: server } : {}) };
}

/** What the script itself could not do, as `phase`, `message` and other lines. */
function refuseProblem(sections: Sections): void {
  const lines = linesOf(sections, 'problem');
  if (lines.length === 0) return;
  const word = (name: string): string =>
    lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? '';
  const phase = word('phase');
  const code = phase === 'admin' ? 'elevate' : phase === 'disk' ? 'disk' : 'command';
  const said = word('message') || (firstLine(sections, 'problem') ?? '');
  throw new FettleError(code, `the host cannot be looked at: ${said}`, {
    ...(code === 'elevate' ? { hint: 'log in with an account of the Administrators group' } : {}),
    details: { phase, hresult: word('hresult') },
  });
}

/** Updates that are in, and those that wait for a restart. Where the search failed, the history stands for it. */
function installedUpdates(scan: WindowsUpdateScan): readonly InstalledPackage[] {
  const pending = scan.offered.filter((record) => record.isPending);
  const packages = new Map([...scan.installed, ...pending].map((record) => [record.id, installedOf(record)]));
  if (scan.isInstalledKnown) return [...packages.values()];
  const offered = new Set(scan.offered.filter((record) => !record.isPending).map((record) => record.id));
  for (const entry of scan.history) {
    const isIn = entry.operation === 'install' && entry.result === 'succeeded';
    if (!isIn || packages.has(entry.id) || offered.has(entry.id)) continue;
    const { name, id, revision } = entry;
    packages.set(id, packageOf({ name, id, revision, unattended: 'changes' }));
  }
  return [...packages.values()];
}

function installedOf(record: WindowsUpdateRecord): InstalledPackage {
  const { id, revision } = record;
  return packageOf({ name: nameOf(record), id, revision, unattended: isDefinition(record) ? 'changes' : 'leaves' });
}

function packageOf(item: {
  readonly name: string;
  readonly id: string;
  readonly revision: number;
  readonly unattended: 'leaves' | 'changes';
}): InstalledPackage {
  const { name, id, revision, unattended } = item;
  const version = String(revision);
  return { name, arch: id, version, status: 'ii', source: 'windows-update', sourceVersion: version, unattended };
}

function thirdParty(scan: WindowsUpdateScan): readonly InstalledPackage[] {
  return scan.thirdParty.map(({ manager, name, version, isPinned }) => ({
    name,
    arch: manager,
    version,
    status: isPinned ? 'hi' : 'ii',
    source: manager,
    sourceVersion: version,
    // winget also sees what updates itself.
    ...(manager === 'winget' ? { unattended: 'changes' as const } : {}),
  }));
}

interface Moment {
  readonly collectedMs: number;
  readonly maxAgeMs: number;
  readonly skewMs: number;
}

function readMetadata(scan: WindowsUpdateScan, { collectedMs, maxAgeMs, skewMs }: Moment): Metadata {
  const { name } = scan.source;
  if (scan.fetchedMs === undefined) return { repositories: [{ name }], isStale: true };
  const fetchedMs = Math.min(collectedMs, scan.fetchedMs - skewMs);
  return { fetchedMs, repositories: [{ name, fetchedMs }], isStale: collectedMs - fetchedMs > maxAgeMs };
}

function problemsOf(windows: HostObject, scan: WindowsUpdateScan): readonly ScanProblem[] {
  const unread = scan.offered.filter((record) => record.readErrors.length > 0).length + scan.dropped;
  return [
    ...readWindowsProblems(windows),
    ...scan.warnings.map(({ message, of }) => ({ code: of, message, isIncomplete: true })),
    ...(unread === 0
      ? []
      : [
          {
            code: 'unreadable',
            message: `${unread} updates could not be read completely`,
            ...(scan.dropped > 0 ? { isIncomplete: true } : {}),
          },
        ]),
    ...(scan.source.isOffline
      ? [
          {
            code: 'offline',
            message: 'an offline catalogue knows security updates only, no drivers and no other fixes',
          },
        ]
      : []),
  ];
}

function hasSearchGaps(scan: WindowsUpdateScan): boolean {
  return scan.dropped > 0 || scan.warnings.some(({ of }) => of === 'search');
}

/** Which of the asked (id, revision) pairs are still on offer. Windows Update resolves no dependencies. */
function parseSimulation(sections: Sections): Simulation {
  refuseProblem(sections);
  const scan = readWindowsUpdateScan(required(sections, 'wua'));
  const asked = linesOf(sections, 'asked').map(readAsked);
  const updates = new Map(readWindowsUpdates(scan).map((update) => [packageKey(update), update]));
  const records = new Map(scan.offered.map((record) => [record.id, record]));
  const there = new Map([...installedUpdates(scan), ...thirdParty(scan)].map((item) => [packageKey(item), item]));
  const offered = asked.flatMap(({ key, to }) => {
    const update = updates.get(key);
    return update === undefined || update.to !== to ? [] : [update];
  });
  const available = asked.flatMap(({ key }) => {
    const update = updates.get(key);
    return update === undefined ? [] : [[key, [{ version: update.to, origins: update.origins }]] as const];
  });
  const gone = asked.filter(({ key, to }) => updates.get(key)?.to !== to && there.get(key) === undefined);
  return {
    ...readSuccessors(scan, gone),
    installs: offered.map(({ name, arch, from, to, origins }) => ({ name, arch, from, to, origins })),
    removes: [],
    downloadBytes: offered.reduce((sum, { arch }) => sum + bytesLeft(records.get(arch)), 0),
    errors: [],
    // Not installed is the state before every update; only one that is offered or in has a place of its own.
    installed: recordOf(asked.map(({ key }) => [key, standing(there.get(key))] as const)),
    available: recordOf(available),
  };
}

/**
 * Definitions come under a new id several times a day, and other updates are replaced by ones that name them: the KB
 * number, or the list of what an update supersedes, leads to what stands on offer now.
 */
function readSuccessors(
  scan: WindowsUpdateScan,
  gone: readonly { readonly key: string; readonly name: string; readonly id: string }[],
): Pick<Simulation, 'successors' | 'renewing'> {
  if (gone.length === 0) return {};
  const updates = readWindowsUpdates(scan);
  const byName = new Map(updates.map((update) => [update.name, update]));
  const replacing = new Map(scan.offered.map((record) => [record.id, record.supersedes]));
  const byReplaced = new Map(
    updates
      .filter((update) => update.heldBack === undefined)
      .flatMap((update) => (replacing.get(update.arch) ?? []).map((id) => [id, update] as const)),
  );
  const renewing = new Set([...scan.offered, ...scan.installed].filter(isDefinition).map(nameOf));
  const successors = gone.flatMap(({ key, name, id }) => {
    const same = byName.get(name);
    const next = same === undefined || same.arch === id ? byReplaced.get(id) : same;
    if (next === undefined || next.arch === id) return [];
    return [[key, { name: next.name, arch: next.arch, from: next.from, to: next.to, origins: next.origins }]] as const;
  });
  return {
    successors: Object.fromEntries(successors),
    renewing: gone.filter(({ name }) => renewing.has(name) || isDefinitionName(name)).map(({ key }) => key),
  };
}

function readAsked(line: string): {
  readonly key: string;
  readonly name: string;
  readonly id: string;
  readonly to: string;
} {
  const [name, arch, to, ...more] = line.split(' ', 4);
  if (name === undefined || arch === undefined || to === undefined || more.length > 0) {
    throw new FettleError('parse', 'the host repeats what it was asked in other words', { details: { line } });
  }
  return { key: packageKey({ name, arch }), name, id: arch, to };
}

function standing(item: InstalledPackage | undefined): { readonly version: string; readonly status: string } {
  return item === undefined ? { version: '', status: 'ii' } : { version: item.version, status: item.status };
}

function bytesLeft(record: WindowsUpdateRecord | undefined): number {
  return record === undefined || record.isDownloaded ? 0 : (record.sizeMax ?? 0);
}
