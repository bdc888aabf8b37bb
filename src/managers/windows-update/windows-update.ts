import type { UpdateResult } from '../../domain/outcome.ts';
import type { InstallSettings } from '../../domain/playbook.ts';
import type { Metadata, Privileges, ScanProblem } from '../../domain/scan.ts';
import type { ScriptInput } from '../../remote/script.ts';
import { objectAt, parseHostJson, textAt } from '../contract/json.ts';
import type { PackageManager, PackageScan, Pin, ScanMoment } from '../contract/package-manager.ts';
import { required, type Sections } from '../contract/sections.ts';
import { datedHistory } from './history.ts';
import { readWindowsInstall } from './install.ts';
import { installedUpdates } from './installed.ts';
import { readWindowsUpdateScan, type SearchBackground, type WindowsUpdateScan } from './records.ts';
import { readWindowsUpdates } from './selection.ts';
import { parseSimulation } from './simulation.ts';

/**
 * Windows Update. An update is named by its KB number, or by its id where it has none; `arch` is the update id and `to`
 * the revision, so that exactly what was approved goes in.
 */
export const windowsUpdate: PackageManager = {
  name: 'windows-update',
  role: 'system',
  isCaseIgnored: true,
  installModes: ['download', 'cached'],
  limits: {},
  isUntested: true,
  parseState: () => ({ packages: [], problems: [] }),
  parseScan,
  simulateRequest: (updates) => ({ rows: updates.map(rowOf) }),
  parseSimulation,
  installRequest: (updates, settings) => ({
    fields: { ...timeFields(settings), ...(settings.mode === undefined ? {} : { mode: settings.mode }) },
    rows: updates.map(rowOf),
  }),
  refreshRequest: (lockWaitMs) => ({ fields: { lock_wait: seconds(lockWaitMs) } }),
  repairRequest: (_updates, settings): ScriptInput => ({ fields: timeFields(settings) }),
  readInstall: (result, planned, attempted): readonly UpdateResult[] => readWindowsInstall(result, planned, attempted),
};

function rowOf({ name, arch, to }: Pin): string[] {
  return [name, arch, to];
}

function timeFields(settings: InstallSettings): Record<string, number> {
  return { lock_wait: seconds(settings.lockWaitMs), limit: seconds(settings.timeoutMs) };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}

function parseScan(sections: Sections, moment: ScanMoment): PackageScan {
  const scan = readWindowsUpdateScan(required(sections, 'windows-update'), () =>
    backgroundOf(sections, moment.privileges),
  );
  const waits = scan.rebootRequired || scan.offered.some((item) => item.isPending);
  return {
    packages: installedUpdates(scan),
    updates: readWindowsUpdates(scan),
    newPackages: [],
    // What may be missing may be a security update.
    securityKnown: scan.dropped === 0 && scan.warnings.length === 0,
    metadata: readMetadata(scan, moment),
    problems: problemsOf(scan),
    source: scan.source.name,
    ...(waits ? { rebootReason: 'Windows Update requires a restart' } : {}),
    history: datedHistory(scan.history),
  };
}

/** The update source that the policy sets is among the facts, which are parsed again only for an error message. */
function backgroundOf(sections: Sections, { user }: Privileges): SearchBackground {
  const policy = objectAt(parseHostJson(required(sections, 'windows'), 'facts'), 'policy');
  const server = textAt(policy, 'WUServer')
    .replace(/[^\x21-\x7e]/g, '')
    .slice(0, 200);
  return { user, ...(textAt(policy, 'UseWUServer') === '1' && server !== '' ? { updateServer: server } : {}) };
}

function readMetadata(scan: WindowsUpdateScan, { collectedMs, maxAgeMs, facts }: ScanMoment): Metadata {
  const repository = { manager: 'windows-update', name: scan.source.name };
  if (scan.fetchedMs === undefined) return { repositories: [repository], isStale: true };
  const fetchedMs = Math.min(collectedMs, scan.fetchedMs - (facts.clockSkewMs ?? 0));
  return { fetchedMs, repositories: [{ ...repository, fetchedMs }], isStale: collectedMs - fetchedMs > maxAgeMs };
}

function problemsOf(scan: WindowsUpdateScan): readonly ScanProblem[] {
  const unread = scan.offered.filter((record) => record.readErrors.length > 0).length + scan.dropped;
  return [
    ...scan.warnings.map((message) => ({ code: 'search', message, isIncomplete: true })),
    ...(scan.taskProblem === undefined
      ? []
      : [
          {
            code: 'task',
            message: `no task could be started as SYSTEM, the search ran in the session: ${scan.taskProblem}`,
          },
        ]),
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
