import { recordOf } from '../../base/record.ts';
import { stateOfDpkg } from '../../domain/dpkg-status.ts';
import { FettleError } from '../../domain/error.ts';
import type { JobResult } from '../../domain/job.ts';
import { fewEnough, shortEnough } from '../../domain/limits.ts';
import type { UpdateResult } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import type { InstallSettings } from '../../domain/playbook.ts';
import { refreshFailureWords, type Metadata, type ScanProblem } from '../../domain/scan.ts';
import type { SimulatedUpdate, Simulation, Standing } from '../../domain/simulation.ts';
import type { InstalledPackage } from '../../domain/update.ts';
import { packageKey } from '../../domain/update.ts';
import type { ScriptInput } from '../../remote/script.ts';
import { judgeInstall } from '../contract/install-outcome.ts';
import type { PackageManager, PackageScan, PackageState, Pin, ScanMoment } from '../contract/package-manager.ts';
import { firstLine, linesIn, linesOf, required, type Sections } from '../contract/sections.ts';
import { compareDebVersions } from '../versions/deb.ts';
import { readMetadata } from './metadata.ts';
import { parsePolicy, parseReleases } from './policy.ts';
import { parseAptSimulation, type AptSimulation } from './simulation.ts';
import { readUpdates } from './updates.ts';

/** apt and dpkg of Debian, Ubuntu and their kin. */
export const apt: PackageManager = {
  name: 'apt',
  role: 'system',
  limits: {},
  remedies: {
    simulate: 'apt-get -s upgrade',
    repair: 'dpkg --configure -a; apt-get --fix-broken install',
    clean: 'apt-get clean',
  },
  parseState,
  parseScan,
  simulateRequest: (updates) => ({ rows: rowsOf(updates) }),
  parseSimulation,
  installRequest: (updates, settings) => withDownloads(updates, changeRequest(updates, settings)),
  refreshRequest: (lockWaitMs) => ({ fields: { lock_wait: Math.ceil(lockWaitMs / 1000) } }),
  repairRequest: changeRequest,
  readInstall,
  compareVersions: compareDebVersions,
};

function rowsOf(updates: readonly Pin[]): string[][] {
  return updates.map(({ name, arch, to }) => [name, arch, to]);
}

function changeRequest(updates: readonly PlannedUpdate[], { conffile, lockWaitMs }: InstallSettings): ScriptInput {
  return { fields: { conffile, lock_wait: Math.ceil(lockWaitMs / 1000) }, rows: rowsOf(updates) };
}

function parseScan(sections: Sections, { collectedMs, maxAgeMs, facts }: ScanMoment): PackageScan {
  refuseFullDisk(sections);
  const { packages, leftovers = [] } = parseState(sections);
  const normal = parseAptSimulation(required(sections, 'apt-normal'), nativeArch(packages));
  refuseBlindness(normal, packages);
  const { clockSkewMs } = facts;
  const metadata = readMetadata(sections, {
    collectedMs,
    maxAgeMs,
    ...(clockSkewMs === undefined ? {} : { skewMs: clockSkewMs }),
  });
  const releases = parseReleases(sections.get('apt-releases') ?? '', linesOf(sections, 'security-origins'));
  return {
    packages,
    autoInstalled: linesOf(sections, 'apt-auto'),
    updates: readUpdates(sections, { packages, normal, releases }),
    newPackages: normal.installs.filter((item) => item.from === null),
    securityKnown: [...releases.values()].some((release) => release.isSecurity),
    metadata,
    leftovers,
    problems: problemsOf(normal.errors, metadata),
  };
}

function parseState(sections: Sections): PackageState {
  return { packages: installedOn(sections), leftovers: linesOf(sections, 'conffile-leftovers'), problems: [] };
}

function installedOn(sections: Sections): readonly InstalledPackage[] {
  const packages = readInstalled(required(sections, 'apt-installed'));
  if (packages.length > 0) return packages;
  throw new FettleError('parse', 'dpkg lists no installed package at all', {
    hint: 'check the host with dpkg-query -W; its package database may be damaged',
  });
}

/** The scripts need a private directory for a moment. */
function refuseFullDisk(sections: Sections): void {
  const [code, ...words] = (firstLine(sections, 'problem') ?? '').split(' ');
  if (code !== 'disk') return;
  throw new FettleError('disk', words.join(' '), { hint: 'make room in /tmp on the host, then try again' });
}

/** No output never means no updates. Where packages are broken apt's refusal is a problem, so that they can be repaired. */
function refuseBlindness(normal: AptSimulation, packages: readonly InstalledPackage[]): void {
  if (normal.exitCode === 0 || normal.installs.length > 0 || packages.some((item) => item.state === 'broken')) return;
  const why = normal.errors[0] ?? (normal.exitCode === undefined ? 'no answer' : `status ${normal.exitCode}`);
  throw new FettleError('command', `apt-get cannot list pending updates: ${why}`, {
    hint: 'check the host with: apt-get -s upgrade',
    details: { errors: normal.errors, exitCode: normal.exitCode },
  });
}

function problemsOf(errors: readonly string[], { repositories, refreshFailed }: Metadata): ScanProblem[] {
  const dead = repositories.flatMap((item) =>
    item.problem === undefined ? [] : [{ code: 'repository', message: `${item.name}: ${item.problem}` }],
  );
  const unrefreshed =
    refreshFailed === undefined
      ? []
      : [{ code: 'refresh', message: refreshFailureWords(refreshFailed), isIncomplete: true }];
  return [...errors.map((message) => ({ code: 'apt', message })), ...unrefreshed, ...dead];
}

/** Lines of dpkg-query(1) -W with package, architecture, version, status abbreviation, source and source version. */
export function readInstalled(text: string): readonly InstalledPackage[] {
  const packages: InstalledPackage[] = [];
  for (const line of linesIn(text, 'list of packages')) {
    const [name = '', arch = '', version = '', status, source = name, sourceVersion = version] = line.split('\t', 6);
    // Removed packages whose configuration files are left are not installed.
    if (name === '' || version === '' || status === undefined || /^.[nc]/.test(status)) continue;
    fewEnough(packages, 'packages').push({
      manager: 'apt',
      name: shortEnough(name, 'package name'),
      arch: shortEnough(arch, 'architecture'),
      version: shortEnough(version, 'version'),
      ...stateOfDpkg(shortEnough(status, 'package status').trim()),
      source: shortEnough(source, 'package name'),
      sourceVersion: shortEnough(sourceVersion, 'version'),
    });
  }
  return fewEnough(packages, 'packages');
}

/** dpkg itself is of the native architecture. */
function nativeArch(packages: readonly InstalledPackage[]): string {
  return packages.find((item) => item.name === 'dpkg')?.arch ?? 'amd64';
}

/** What the plan knows of the sizes, so that the host need not find them out once more. */
function withDownloads(updates: readonly PlannedUpdate[], request: ScriptInput): ScriptInput {
  const sizes = updates.flatMap(({ sizeBytes }) => sizeBytes ?? []);
  if (sizes.length < updates.length) return request;
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { ...request, fields: { ...request.fields, download_kib: Math.ceil(bytes / 1024) } };
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
  const downloads = readDownloads(sections);
  return {
    ...simulated,
    installs: simulated.installs.map((item) => withSize(item, downloads)),
    downloadBytes: [...downloads.values()].reduce((sum, size) => sum + size, 0),
    installed: recordOf(asked.map((item) => [packageKey(item), standingOf(item)])),
    available: recordOf(available),
  };
}

function standingOf({ version, state, stateDetail }: InstalledPackage): Standing {
  return { version, state, ...(stateDetail === undefined ? {} : { stateDetail }) };
}

/** Bytes by file name: lines `'URI' file size hash` of apt-get --print-uris. */
function readDownloads(sections: Sections): ReadonlyMap<string, number> {
  return new Map(
    linesOf(sections, 'apt-uris').flatMap((line) => {
      const [, file = '', bytes] = /^'[^']*' (\S+) (\d+)/.exec(line) ?? [];
      const size = Number(bytes);
      return Number.isSafeInteger(size) ? [[file, size] as const] : [];
    }),
  );
}

/** apt names a file by package, version and architecture, with %3a for the colon of an epoch. */
function withSize(item: SimulatedUpdate, downloads: ReadonlyMap<string, number>): SimulatedUpdate {
  const sizeBytes = downloads.get(`${item.name}_${item.to.replaceAll(':', '%3a')}_${item.arch}.deb`);
  return sizeBytes === undefined ? item : { ...item, sizeBytes };
}

function readInstall(
  result: JobResult,
  planned: readonly PlannedUpdate[],
  attempted: readonly PlannedUpdate[],
): readonly UpdateResult[] {
  const list = result.sections['apt-installed'];
  if (list === undefined) throw new FettleError('parse', 'the result of the install has no list of packages');
  const installed = new Map(readInstalled(list).map((item) => [packageKey(item), item]));
  return judgeInstall(planned, {
    installed: (item) => installed.get(packageKey(item)),
    attempted,
    compare: compareDebVersions,
  });
}
