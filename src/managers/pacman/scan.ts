import { refreshFailureWords, type Metadata, type Repository, type ScanProblem } from '../../domain/scan.ts';
import { packageLabel, type Update } from '../../domain/update.ts';
import { metadataOf, readRefreshFailures, type RefreshFailure } from '../contract/repository-lists.ts';
import { firstLine, linesOf, type Sections } from '../contract/sections.ts';
import type { PackageScan, PackageState, ScanMoment } from '../contract/package-manager.ts';
import { idOf, readDatabase, readInstalled, readUpgrades, type AlpmPackage, type Upgrade } from './answer.ts';
import { readUpgrade, type WholeUpgrade } from './upgrade.ts';

/** Packages whose update takes effect at the next start of the host. */
const needsReboot = new Set(['glibc', 'systemd', 'linux-firmware', 'dbus', 'dbus-broker', 'amd-ucode', 'intel-ucode']);

/** The kernels of Arch and its kin: `linux`, `linux-lts`, `linux-zen`, `linux66`, but not `linux-firmware`. */
const kernelName = /^linux(\d+|-(lts|zen|hardened|rt|rt-lts|aarch64|armv7|cachyos[a-z-]*|mainline))?$/;

export function readState(sections: Sections): PackageState {
  return {
    packages: readInstalled(sections),
    leftovers: linesOf(sections, 'pacman-leftovers'),
    problems: linesOf(sections, 'pacman-lock').map((lock) => ({
      code: 'lock',
      message: `${lock} is there, but no process holds it: a pacman that was killed left it, and none can work until it is removed`,
    })),
  };
}

export function readScan(sections: Sections, moment: ScanMoment): PackageScan {
  const state = readState(sections);
  const installed = readDatabase(sections);
  const upgrades = readUpgrades(sections);
  const upgrade = readUpgrade(sections, installed);
  const metadata = readMetadata(sections, moment);
  const rebootReason = rebootReasonOf(sections, [...installed.values()], moment);
  return {
    ...state,
    autoInstalled: [...installed.values()].filter((item) => item.isDependency).map(packageLabel),
    updates: [
      ...upgrades.flatMap((item) => updateOf(item, installed, upgrade) ?? []),
      ...upgrade.replaced.map(replacementOf),
    ].toSorted((left, right) => (left.name < right.name ? -1 : 1)),
    newPackages: upgrade.steps.flatMap(({ name, version, repository }) => {
      if (installed.has(name)) return [];
      const arch = upgrade.offers.get(name)?.arch ?? '';
      return [{ ...idOf(name, arch), from: null, to: version, origins: [repository] }];
    }),
    securityKnown: false,
    metadata,
    problems: [...state.problems, ...problemsOf(upgrade, metadata)],
    ...(rebootReason === undefined ? {} : { rebootReason }),
  };
}

function updateOf(
  { name, from, to, isIgnored }: Upgrade,
  installed: ReadonlyMap<string, AlpmPackage>,
  { steps, offers, conflicts, replaced }: WholeUpgrade,
): Update | undefined {
  const current = installed.get(name);
  // Upgraded, or gone, between two questions.
  if (current?.version !== from || replaced.some(({ old }) => old.name === name)) return undefined;
  const step = steps.find((item) => item.name === name);
  const repository = step?.repository ?? offers.get(name)?.repository;
  const others = conflicts.flatMap((pair) => pair.filter((party) => party.name !== name && pair[0].name === name));
  const heldBack = isIgnored
    ? ({ kind: 'held' } as const)
    : others.length > 0
      ? ({ kind: 'needs-removal', packages: others.map((party) => party.name) } as const)
      : undefined;
  return {
    ...idOf(name, current.arch),
    ...{ from, to, origins: repository === undefined ? [] : [repository], class: 'unknown' },
    ...(heldBack === undefined ? {} : { heldBack }),
    isKernel: kernelName.test(name) || needsReboot.has(name),
    ...{ source: current.base, sourceVersion: to },
    ...(step === undefined || step.size === 0 ? {} : { sizeBytes: step.size }),
  };
}

/** pacman would remove it, which is refused. */
function replacementOf({ old, by }: WholeUpgrade['replaced'][number]): Update {
  return {
    ...idOf(old.name, old.arch),
    ...{ from: old.version, to: by.version, origins: [by.repository], class: 'unknown', isKernel: false },
    title: `replaced by ${by.name}`,
    heldBack: { kind: 'needs-removal', packages: [old.name] },
  };
}

function problemsOf({ troubles }: WholeUpgrade, { refreshFailed, repositories }: Metadata): readonly ScanProblem[] {
  const none: ScanProblem = { code: 'repository', message: 'pacman has no repository', isIncomplete: true };
  const unrefreshed =
    refreshFailed === undefined
      ? []
      : [{ code: 'refresh', message: refreshFailureWords(refreshFailed), isIncomplete: true }];
  return [
    ...(repositories.length === 0 ? [none] : []),
    ...unrefreshed,
    ...repositories.flatMap(({ name, problem }) =>
      problem === undefined ? [] : [{ code: 'repository', message: `${name}: ${problem}`, isIncomplete: true }],
    ),
    ...troubles.map((message) => ({ code: 'pacman', message: `pacman cannot upgrade: ${message}` })),
  ];
}

/** As old as the repository that was fetched longest ago. */
function readMetadata(sections: Sections, { collectedMs, maxAgeMs, facts }: ScanMoment): Metadata {
  const skewMs = facts.clockSkewMs ?? 0;
  const failing = readRefreshFailures(sections, 'pacman-refreshes', skewMs);
  const repositories = linesOf(sections, 'pacman-repositories').map((line) => repositoryOf(line, failing, skewMs));
  const failed = repositories.filter(({ failsSinceMs }) => failsSinceMs !== undefined);
  const reasons = failed.map(({ name }) => failing[name]?.reason ?? '');
  return metadataOf(repositories, reasons, { collectedMs, maxAgeMs });
}

/** Name, when the list was made and when it was fetched. One newer than the failure was fetched since, by whomever. */
function repositoryOf(line: string, failing: Readonly<Record<string, RefreshFailure>>, skewMs: number): Repository {
  const [name = '', ...times] = line.split('\t', 3);
  const [madeMs, fetchedMs] = times.map((text) => (/^\d{1,11}$/.test(text) ? Number(text) * 1000 - skewMs : undefined));
  const failure = failing[name];
  const isFailing = failure !== undefined && (fetchedMs ?? 0) <= failure.sinceMs;
  return {
    ...{ manager: 'pacman', name: name.slice(0, 200) },
    ...(madeMs === undefined ? {} : { releasedMs: madeMs + skewMs }),
    ...(fetchedMs === undefined ? { problem: 'was never fetched' } : { fetchedMs }),
    ...(isFailing ? { failsSinceMs: failure.sinceMs } : {}),
  };
}

/** The running kernel's modules are gone, or what takes effect only at a start was installed since. */
function rebootReasonOf(
  sections: Sections,
  packages: readonly AlpmPackage[],
  { collectedMs, facts }: Pick<ScanMoment, 'collectedMs' | 'facts'>,
): string | undefined {
  const { uptimeSec, clockSkewMs = 0, isContainer } = facts;
  const kernel = isContainer ? undefined : firstLine(sections, 'pacman-kernel');
  const startedSec = uptimeSec === undefined ? Infinity : (collectedMs + clockSkewMs) / 1000 - uptimeSec;
  const names = packages.filter((item) => needsReboot.has(item.name) && item.installedSec > startedSec);
  const reasons = [
    ...(kernel === undefined ? [] : [`the package of the running kernel ${kernel.slice(0, 100)} was replaced`]),
    ...(names.length === 0
      ? []
      : [
          `installed since the host was started: ${names
            .map(({ name }) => name)
            .toSorted()
            .join(', ')}`,
        ]),
  ];
  return reasons.length === 0 ? undefined : reasons.join('; ');
}
