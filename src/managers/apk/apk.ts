import { recordOf } from '../../base/record.ts';
import type { Simulation, Standing } from '../../domain/simulation.ts';
import { packageKey, packageLabel, type InstalledPackage, type PackageId, type Update } from '../../domain/update.ts';
import type { Metadata, ScanProblem } from '../../domain/scan.ts';
import { judgeInstall } from '../contract/install-outcome.ts';
import type { PackageManager, PackageScan, PackageState, Pin, ScanMoment } from '../contract/package-manager.ts';
import { linesOf, type Sections } from '../contract/sections.ts';
import { compareApkVersions } from '../versions/apk.ts';
import { readDatabase, readPinned, readSteps, readUnopened, readUpgradable, type ApkPackage } from './answer.ts';

/** apk 2 and 3 of Alpine Linux: scan and plan. docs/package-managers/apk.md. */
export const apk: PackageManager = {
  name: 'apk',
  role: 'system',
  limits: {
    exactVersion: 'its repositories keep only the newest version of a package',
    securityClass: 'its repositories do not say which updates close security holes',
  },
  isUntested: true,
  remedies: { simulate: 'apk upgrade -s', repair: 'apk fix' },
  parseState: readState,
  parseScan: readScan,
  simulateRequest: (updates) => ({ rows: rowsOf(updates) }),
  parseSimulation,
  installRequest: (updates) => ({ rows: rowsOf(updates) }),
  readInstall: (result, planned, attempted) => {
    const installed = new Map(installedOf(new Map(Object.entries(result.sections))).map((item) => [item.name, item]));
    return judgeInstall(planned, {
      installed: ({ name }) => installed.get(name),
      attempted,
      compare: compareApkVersions,
    });
  },
  compareVersions: compareApkVersions,
};

function rowsOf(updates: readonly Pin[]): readonly (readonly string[])[] {
  return updates.map(({ name, arch, to }) => [name, arch, to]);
}

function idOf({ name, arch }: Pick<ApkPackage, 'name' | 'arch'>): PackageId {
  return { manager: 'apk', name, arch };
}

/** apk shows a package whose script failed as up to date, and counts it in the exit status of every later call. */
function installedOf(sections: Sections): readonly InstalledPackage[] {
  return [...readDatabase(sections).values()].map(({ flags, origin, version, ...item }) => ({
    ...{ ...idOf(item), version },
    ...(flags === '' ? { state: 'installed' } : { state: 'broken', stateDetail: `apk marks it f:${flags}` }),
    ...{ source: origin, sourceVersion: version },
  }));
}

function readState(sections: Sections): PackageState {
  const untried: ScanProblem = {
    code: 'untried',
    message: 'this version installs nothing with apk: it was not tried on a host that has it',
    isBlocking: true,
  };
  return { packages: installedOf(sections), leftovers: linesOf(sections, 'apk-leftovers'), problems: [untried] };
}

function readScan(sections: Sections, moment: ScanMoment): PackageScan {
  const state = readState(sections);
  const installed = readDatabase(sections);
  const { steps, troubles } = readSteps(sections);
  const metadata = readMetadata(sections, moment);
  const pinned = readPinned(sections);
  const arch = [...installed.values()].find((item) => item.arch !== 'noarch')?.arch ?? '';
  return {
    ...state,
    updates: readUpgradable(sections).flatMap(({ name, from, to }): Update[] => {
      const current = installed.get(name);
      if (current?.version !== from) return [];
      const isGoing = steps.some((step) => step.name === name && step.to === to);
      return [
        {
          ...{
            ...idOf(current),
            from,
            to,
            origins: [],
            class: 'unknown',
            isKernel: /^linux-(lts|virt|edge|stable)$/.test(name),
          },
          ...(isGoing ? {} : { heldBack: pinned.has(name) ? { kind: 'held' } : { kind: 'unknown' } }),
          ...{ source: current.origin, sourceVersion: to },
        },
      ];
    }),
    newPackages: steps.flatMap(({ kind, name, from, to }) =>
      kind === 'in' && from === null ? [{ ...idOf({ name, arch }), from: null, to, origins: [] }] : [],
    ),
    securityKnown: false,
    metadata,
    problems: [...state.problems, ...problemsOf(metadata, troubles, steps)],
  };
}

function problemsOf(
  { repositories }: Metadata,
  troubles: readonly string[],
  steps: ReturnType<typeof readSteps>['steps'],
): readonly ScanProblem[] {
  const removed = steps.filter(({ kind }) => kind === 'out').map(({ name }) => name);
  return [
    ...(repositories.length === 0
      ? [{ code: 'repository', message: 'apk has no repository', isIncomplete: true }]
      : []),
    ...repositories.flatMap(({ problem }) =>
      problem === undefined ? [] : [{ code: 'repository', message: problem, isIncomplete: true }],
    ),
    ...troubles.map((message) => ({ code: 'apk', message: `apk cannot upgrade: ${message}` })),
    ...(removed.length === 0 ? [] : [{ code: 'apk', message: `apk upgrade would remove ${removed.join(', ')}` }]),
  ];
}

/** apk names its indexes by a digest of the address: the oldest stands for all, and too few are a gap. */
function readMetadata(sections: Sections, { collectedMs, maxAgeMs, facts }: ScanMoment): Metadata {
  const names = linesOf(sections, 'apk-repositories').map((line) => line.trim().slice(0, 200));
  const skewMs = facts.clockSkewMs ?? 0;
  const times = linesOf(sections, 'apk-indexes').flatMap((text) =>
    /^\d{1,11}$/.test(text) ? [Number(text) * 1000 - skewMs] : [],
  );
  const unopened = readUnopened(sections);
  const fetchedMs = times.length === 0 ? undefined : Math.min(...times);
  const missing = times.length < names.length ? 'not every repository of apk was fetched' : undefined;
  const problems = unopened.length > 0 ? unopened : missing === undefined ? [] : [missing];
  return {
    ...(fetchedMs === undefined ? {} : { fetchedMs }),
    repositories: names.map((name, at) => {
      const problem = problems[at];
      return {
        ...{ manager: 'apk', name },
        ...(fetchedMs === undefined ? {} : { fetchedMs }),
        ...(problem === undefined ? {} : { problem }),
      };
    }),
    isStale: fetchedMs === undefined || collectedMs - fetchedMs > maxAgeMs,
  };
}

function parseSimulation(sections: Sections): Simulation {
  const installed = readDatabase(sections);
  const { steps, troubles } = readSteps(sections);
  const arch = [...installed.values()].find((item) => item.arch !== 'noarch')?.arch ?? '';
  const there = new Map(installedOf(sections).map((item) => [packageKey(item), item]));
  const asked = linesOf(sections, 'apk-asked').map((line) => {
    const [name = '', own = ''] = line.split(',', 3);
    return idOf({ name, arch: own });
  });
  const standing = (id: PackageId): Standing | null => {
    const found = there.get(packageKey(id));
    if (found === undefined) return null;
    const { version, state, stateDetail } = found;
    return { version, state, ...(stateDetail === undefined ? {} : { stateDetail }) };
  };
  return {
    installs: steps.flatMap(({ kind, name, from, to }) =>
      kind === 'in' ? [{ ...idOf(installed.get(name) ?? { name, arch }), from, to, origins: [] }] : [],
    ),
    removes: steps.flatMap(({ kind, name, from }) =>
      kind === 'out' ? [{ ...idOf(installed.get(name) ?? { name, arch }), version: from ?? '' }] : [],
    ),
    downloadBytes: 0,
    errors: troubles,
    installed: recordOf(asked.map((id): [string, Standing | null] => [packageKey(id), standing(id)])),
    available: recordOf(
      readUpgradable(sections).flatMap(({ name, to }) => {
        const current = installed.get(name);
        return current === undefined ? [] : [[packageLabel(current), [{ version: to, origins: [] }]] as const];
      }),
    ),
  };
}
