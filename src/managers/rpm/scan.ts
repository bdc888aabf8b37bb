import { refreshFailureWords, type Metadata, type Repository, type ScanProblem } from '../../domain/scan.ts';
import { metadataOf, readRefreshFailures, type RefreshFailure } from '../contract/repository-lists.ts';
import { linesOf, type Sections } from '../contract/sections.ts';
import type { PackageScan, PackageState, ScanMoment } from '../contract/package-manager.ts';
import type { RepositoryLine, RpmAnswer } from './answer.ts';
import { idOf, readDatabase, readInstalled, type RpmPackage } from './installed.ts';
import { readUpdates, takesEffectAtStart } from './updates.ts';

export function readState(manager: string, sections: Sections): PackageState {
  return {
    packages: readInstalled(manager, sections),
    leftovers: linesOf(sections, 'rpm-leftovers'),
    problems: linesOf(sections, 'rpm-image').map(imageProblem),
  };
}

export function readScan(manager: string, sections: Sections, answer: RpmAnswer, moment: ScanMoment): PackageScan {
  const state = readState(manager, sections);
  const database = readDatabase(sections);
  const metadata = readMetadata(manager, answer, sections, moment);
  const installed = rebootReasonOf([...database.values()].flat(), moment, answer.rebootNames);
  const reasons = [installed, answer.rebootReason].filter(Boolean);
  return {
    ...state,
    updates: readUpdates(manager, answer, database),
    newPackages: answer.installs.flatMap((step) =>
      step.from !== null
        ? []
        : [
            {
              ...idOf(manager, step),
              ...(step.isBeside ? { slot: step.to } : {}),
              from: null,
              to: step.to,
              origins: [step.repository],
            },
          ],
    ),
    securityKnown: answer.repositories.some(({ hasAdvisories }) => hasAdvisories),
    metadata,
    problems: [...state.problems, ...problemsOf(manager, answer, metadata)],
    ...(reasons.length === 0 ? {} : { rebootReason: reasons.join('; ') }),
  };
}

const imageWords: Readonly<Record<string, string>> = {
  ostree: 'the system is an image that rpm-ostree or bootc replaces as a whole; this version installs nothing there',
  transactional:
    'the system is read-only, and transactional-update changes it in a snapshot that the next start uses; this version installs nothing there',
};

function imageProblem(kind: string): ScanProblem {
  return {
    code: 'image',
    message: imageWords[kind] ?? 'the system is an image, in which this version installs nothing',
    isBlocking: true,
    isIncomplete: true,
  };
}

function problemsOf(
  manager: string,
  answer: RpmAnswer,
  { refreshFailed, repositories }: Metadata,
): readonly ScanProblem[] {
  const none: ScanProblem = {
    code: 'repository',
    message: `${manager} has no enabled repository; a host with a subscription may not be registered`,
    isIncomplete: true,
  };
  const unrefreshed =
    refreshFailed === undefined
      ? []
      : [{ code: 'refresh', message: refreshFailureWords(refreshFailed), isIncomplete: true }];
  const unfetched = repositories.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [{ code: 'repository', message: `${name}: ${problem}`, isIncomplete: true }],
  );
  return [
    ...(answer.repositories.length === 0 ? [none] : []),
    ...(answer.doubts ?? []),
    ...unrefreshed,
    ...unfetched,
    ...answer.troubles.map((message) => ({ code: manager, message })),
  ];
}

/** As old as the repository that was fetched longest ago. */
function readMetadata(
  manager: string,
  answer: RpmAnswer,
  sections: Sections,
  { collectedMs, maxAgeMs, facts }: ScanMoment,
): Metadata {
  const skewMs = facts.clockSkewMs ?? 0;
  const failing = readRefreshFailures(sections, 'rpm-refreshes', skewMs);
  const repositories = answer.repositories.map((item) => repositoryOf(manager, item, failing[item.id], skewMs));
  const reasons = Object.values(failing).map(({ reason }) => reason);
  return metadataOf(repositories, reasons, { collectedMs, maxAgeMs });
}

/** Lists that are newer than the failure were fetched since, by whomever. */
function repositoryOf(
  manager: string,
  item: RepositoryLine,
  failing: RefreshFailure | undefined,
  skewMs: number,
): Repository {
  const fetchedMs = item.fetchedSec === undefined ? undefined : item.fetchedSec * 1000 - skewMs;
  const isFailing = failing !== undefined && (fetchedMs ?? 0) <= failing.sinceMs;
  return {
    manager,
    name: item.name,
    ...(item.madeSec === undefined ? {} : { releasedMs: item.madeSec * 1000 }),
    ...(fetchedMs === undefined
      ? { problem: 'was never fetched, or the account cannot read what was' }
      : { fetchedMs }),
    ...(isFailing ? { failsSinceMs: failing.sinceMs } : {}),
  };
}

/** What was installed since the host started, and takes effect only at a start. */
function rebootReasonOf(
  packages: readonly RpmPackage[],
  { collectedMs, facts }: Pick<ScanMoment, 'collectedMs' | 'facts'>,
  own: ReadonlySet<string> | undefined,
): string | undefined {
  const { uptimeSec, clockSkewMs = 0 } = facts;
  if (uptimeSec === undefined) return undefined;
  const startedSec = (collectedMs + clockSkewMs) / 1000 - uptimeSec;
  const names = packages.filter((item) => takesEffectAtStart(item.name, own) && item.installedSec > startedSec);
  if (names.length === 0) return undefined;
  return `installed since the host was started: ${[...new Set(names.map(({ name }) => name))].toSorted().join(', ')}`;
}
