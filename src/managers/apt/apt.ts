import { recordOf } from '../../base/record.ts';
import { FettleError } from '../../domain/error.ts';
import type { JobResult } from '../../domain/job.ts';
import type { UpdateResult } from '../../domain/outcome.ts';
import type { HostPlan, PlannedUpdate } from '../../domain/plan.ts';
import type { HostSummary, HostScan, ScanProblem } from '../../domain/scan.ts';
import type { Simulation } from '../../domain/simulation.ts';
import type { InstalledPackage } from '../../domain/update.ts';
import { packageKey } from '../../domain/update.ts';
import { fewEnough, shortEnough } from '../../domain/limits.ts';
import { refreshFailureWords } from '../../domain/scan.ts';
import { parsePolicy, parseReleases } from './policy.ts';
import { readMetadata } from './metadata.ts';
import { parseAptSimulation, type AptSimulation } from './simulation.ts';
import { readUpdates } from './updates.ts';
import { compareDebVersions } from '../versions/deb.ts';
import type { Manager, Sections } from '../contract/manager.ts';
import {
  readClaim,
  readDisks,
  readFacts,
  readHealth,
  readPrivileges,
  readReboot,
  readRunning,
} from '../family/posix-facts.ts';
import { firstLine, linesIn, linesOf, required } from '../contract/sections.ts';

/** apt and dpkg of Debian, Ubuntu and their kin. */
export const apt: Manager = {
  name: 'apt',
  parseScan,
  parseSummary: (sections, collectedMs) => summaryOf(sections, collectedMs, installedOn(sections)),
  simulateRequest: (updates) => ({
    verb: 'simulate',
    rows: updates.map(({ name, arch, to }) => [name, arch, to]),
  }),
  parseSimulation,
  installRequest: (updates, settings) => ({
    fields: { conffile: settings.conffile, lock_wait: Math.ceil(settings.lockWaitMs / 1000) },
    rows: updates.map(({ name, arch, to }) => [name, arch, to]),
  }),
  refreshRequest: (lockWaitMs) => ({ fields: { lock_wait: Math.ceil(lockWaitMs / 1000) } }),
  repairRequest: (updates, settings) => ({
    fields: { conffile: settings.conffile, lock_wait: Math.ceil(settings.lockWaitMs / 1000) },
    rows: updates.map(({ name, arch, to }) => [name, arch, to]),
  }),
  readInstall,
};

function parseScan(sections: Sections, collectedMs: number, maxAgeMs: number): HostScan {
  refuseFullDisk(sections);
  const packages = installedOn(sections);
  const { readOnly = [], ...summary } = summaryOf(sections, collectedMs, packages);
  const native = nativeArch(packages);
  const normal = parseAptSimulation(required(sections, 'apt-normal'), native);
  refuseBlindness(normal, summary.broken);
  const { clockSkewMs } = summary.facts;
  const metadata = readMetadata(sections, {
    collectedMs,
    maxAgeMs,
    ...(clockSkewMs === undefined ? {} : { skewMs: clockSkewMs }),
  });
  const releases = parseReleases(sections.get('apt-releases') ?? '', linesOf(sections, 'security-origins'));
  return {
    ...summary,
    packages,
    autoInstalled: linesOf(sections, 'apt-auto'),
    held: packages.filter((item) => item.status.startsWith('h')).map((item) => item.name),
    updates: readUpdates(sections, { packages, normal, releases }),
    newPackages: normal.installs.filter((item) => item.from === null),
    securityKnown: [...releases.values()].some((release) => release.isSecurity),
    metadata,
    reboot: readReboot(sections, summary.facts),
    ...readKernelBytes(sections),
    health: readHealth(sections, summary.privileges.isRoot),
    conffileLeftovers: linesOf(sections, 'conffile-leftovers'),
    problems: [...readOnly.map(readOnlyProblem), ...problemsOf(sections, normal.errors, metadata)],
  };
}

/** du(1) -k of the newest kernel's files. */
function readKernelBytes(sections: Sections): Pick<HostScan, 'kernelBytes'> {
  const kib = firstLine(sections, 'kernel-kib');
  return kib !== undefined && /^[1-9]\d{0,9}$/.test(kib) ? { kernelBytes: Number(kib) * 1024 } : {};
}

function readOnlyProblem(place: string): ScanProblem {
  return { code: 'disk', message: `${place} is mounted read-only`, isBlocking: true };
}

function installedOn(sections: Sections): readonly InstalledPackage[] {
  const packages = readInstalled(required(sections, 'apt-installed'));
  if (packages.length > 0) return packages;
  throw new FettleError('parse', 'dpkg lists no installed package at all', {
    hint: 'check the host with dpkg-query -W; its package database may be damaged',
  });
}

function summaryOf(sections: Sections, collectedMs: number, packages: readonly InstalledPackage[]): HostSummary {
  const active = readClaim(sections);
  const readOnly = linesOf(sections, 'read-only');
  return {
    collectedMs,
    manager: 'apt',
    facts: readFacts(sections, collectedMs),
    privileges: readPrivileges(sections),
    disks: readDisks(sections),
    ...(readOnly.length === 0 ? {} : { readOnly }),
    running: readRunning(sections),
    broken: packages.filter(isBroken),
    ...(active === undefined ? {} : { active }),
  };
}

/** The scripts need a private directory for a moment. */
function refuseFullDisk(sections: Sections): void {
  const [code, ...words] = (firstLine(sections, 'problem') ?? '').split(' ');
  if (code !== 'disk') return;
  throw new FettleError('disk', words.join(' '), { hint: 'make room in /tmp on the host, then try again' });
}

/** No output never means no updates. Where packages are broken apt's refusal is told as a problem, so that they can be repaired. */
function refuseBlindness(normal: AptSimulation, broken: readonly InstalledPackage[]): void {
  if (normal.exitCode === 0 || normal.installs.length > 0 || broken.length > 0) return;
  const why = normal.errors[0] ?? (normal.exitCode === undefined ? 'no answer' : `status ${normal.exitCode}`);
  throw new FettleError('command', `apt-get cannot tell what is pending: ${why}`, {
    hint: 'check the host with: apt-get -s upgrade',
    details: { errors: normal.errors, exitCode: normal.exitCode },
  });
}

function problemsOf(
  sections: Sections,
  errors: readonly string[],
  { repositories, refreshFailed }: HostScan['metadata'],
): ScanProblem[] {
  const initrd = firstLine(sections, 'missing-initrd');
  const isNotBooting =
    initrd === undefined ? [] : [{ code: 'initrd-missing', message: `kernel ${initrd} has no initrd` }];
  const dead = repositories.flatMap((item) =>
    item.problem === undefined ? [] : [{ code: 'repository', message: `${item.name}: ${item.problem}` }],
  );
  const unrefreshed =
    refreshFailed === undefined
      ? []
      : [{ code: 'refresh', message: refreshFailureWords(refreshFailed), isIncomplete: true }];
  return [...errors.map((message) => ({ code: 'apt', message })), ...isNotBooting, ...unrefreshed, ...dead];
}

/** Lines of dpkg-query(1) -W with package, architecture, version, status abbreviation, source and source version. */
export function readInstalled(text: string): readonly InstalledPackage[] {
  const packages: InstalledPackage[] = [];
  for (const line of linesIn(text, 'list of packages')) {
    const [name = '', arch = '', version = '', status, source = name, sourceVersion = version] = line.split('\t', 6);
    // Removed packages whose configuration files are left are not installed.
    if (name === '' || version === '' || status === undefined || /^.[nc]/.test(status)) continue;
    fewEnough(packages, 'packages').push({
      name: shortEnough(name, 'package name'),
      arch: shortEnough(arch, 'architecture'),
      version: shortEnough(version, 'version'),
      status: shortEnough(status, 'package status').trim(),
      source: shortEnough(source, 'package name'),
      sourceVersion: shortEnough(sourceVersion, 'version'),
    });
  }
  return fewEnough(packages, 'packages');
}

/** What only awaits triggers is well (dpkg(1)): its package manager runs them along the way. */
function isBroken(item: InstalledPackage): boolean {
  return !/^[ihup][itW]$/.test(item.status);
}

/** dpkg itself is of the native architecture. */
function nativeArch(packages: readonly InstalledPackage[]): string {
  return packages.find((item) => item.name === 'dpkg')?.arch ?? 'amd64';
}

function parseSimulation(sections: Sections): Simulation {
  refuseFullDisk(sections);
  const asked = readInstalled(required(sections, 'apt-asked'));
  const native = firstLine(sections, 'apt-architecture') ?? '';
  const { exitCode: _exitCode, ...simulated } = parseAptSimulation(required(sections, 'apt-pinned'), native);
  const policy = parsePolicy(sections.get('apt-policy') ?? '', parseReleases(sections.get('apt-releases') ?? ''));
  const available = [...policy].map(
    ([name, item]) => [name, item.versions.map(({ version, origins }) => ({ version, origins }))] as const,
  );
  return {
    ...simulated,
    downloadBytes: linesOf(sections, 'apt-uris').reduce((sum, line) => sum + sizeOf(line), 0),
    installed: recordOf(asked.map((item) => [packageKey(item), { version: item.version, status: item.status }])),
    available: recordOf(available),
  };
}

/** `'URI' file size hash` of apt-get --print-uris, bytes. */
function sizeOf(line: string): number {
  const size = Number(/^'[^']*' \S+ (\d+)/.exec(line)?.[1]);
  return Number.isSafeInteger(size) ? size : 0;
}

function readInstall(result: JobResult, plan: HostPlan, attempted: readonly PlannedUpdate[]): readonly UpdateResult[] {
  const list = result.sections['apt-installed'];
  if (list === undefined) throw new FettleError('parse', 'the result of the install has no list of packages');
  const installed = new Map(readInstalled(list).map((item) => [packageKey(item), item]));
  const tried = new Map(attempted.map((update) => [packageKey(update), update]));
  return plan.updates.map((planned): UpdateResult => {
    const { name, arch, from, to } = planned;
    const update = tried.get(packageKey(planned));
    const now = installed.get(packageKey(planned));
    const base = { name, arch, from, to, now: now?.version ?? null };
    if (now === undefined) return { ...base, state: from === null ? 'not-installed' : 'removed' };
    if (isBroken(now)) return { ...base, state: 'broken' };
    if (now.version === to) return { ...base, state: update === undefined ? 'already' : 'installed' };
    const isAhead = compareDebVersions(now.version, to) > 0;
    if (isAhead && (update === undefined || now.version === update.to)) return { ...base, state: 'superseded' };
    return { ...base, state: update === undefined ? 'not-installed' : 'failed' };
  });
}
