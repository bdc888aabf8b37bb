import type { Metadata, Repository } from '../../domain/scan.ts';
import { linesOf, type Sections } from '../contract/sections.ts';

interface ReleaseFile {
  readonly file: string;
  /** The server's time of it: apt keeps no other. */
  readonly changedMs: number;
  readonly fields: ReadonlyMap<string, string>;
}

/** A repository that the sources name. */
interface Target {
  readonly site: string;
  readonly isFetched: boolean;
  /** How the names of its files begin; absent where the host does not report it. */
  readonly file?: string;
}

/** What the host has recorded of one repository during refreshes by fettle. Controller time, epoch ms. */
interface Remembered {
  readonly goodMs?: number;
  readonly failsSinceMs?: number;
  readonly reason?: string;
}

export interface MetadataInput {
  readonly collectedMs: number;
  readonly maxAgeMs: number;
  /** Host wall time minus controller wall time. */
  readonly skewMs?: number;
}

/** The name under which the host remembers a refresh that failed as a whole. */
const wholeRefresh = '*';

/**
 * How old the host's knowledge is: the age of the last good answer of the repository that answered longest ago. Where
 * the host has no record of a refresh by fettle, a repository's Release file gives its last change, and apt's own stamp of
 * success (apt.conf(5), APT::Update::Post-Invoke-Success) when it was asked. A repository without a Release file was
 * never fetched.
 */
export function readMetadata(sections: Sections, input: MetadataInput): Metadata {
  const files = readReleaseFiles(sections);
  const byName = new Map(files.map((item) => [item.file, item]));
  const targets = readTargets(sections);
  const memory = readMemory(sections, input.skewMs ?? 0);
  const stampMs = secondsOf(linesOf(sections, 'apt-success')[0], input.skewMs ?? 0) ?? 0;
  const known = targets.map((target): Repository => {
    const release = byName.get(`${target.file ?? ''}InRelease`) ?? byName.get(`${target.file ?? ''}Release`);
    const remembered = memory.get(target.site) ?? {};
    if (!target.isFetched)
      return { manager: 'apt', name: target.site, problem: 'was never fetched, or is not there any more' };
    const isRefetched = (release?.changedMs ?? 0) > (remembered.failsSinceMs ?? Infinity);
    const fails = isRefetched ? {} : remembered;
    const sinceChange = Math.max(release?.changedMs ?? 0, fails.failsSinceMs === undefined ? stampMs : 0);
    return {
      ...(release === undefined ? { manager: 'apt', name: target.site } : describe(release, input.collectedMs)),
      ...timeOf(Math.max(remembered.goodMs ?? 0, sinceChange)),
      ...(fails.failsSinceMs === undefined ? {} : { failsSinceMs: fails.failsSinceMs }),
    };
  });
  // Where the sources could not be asked for, every file there counts.
  const unnamed = (targets.length > 0 ? [] : files).map((item) => ({
    ...describe(item, input.collectedMs),
    ...timeOf(Math.max(item.changedMs, stampMs)),
  }));
  return conclude([...unnamed, ...known], { ...input, memory });
}

function conclude(
  repositories: readonly Repository[],
  { collectedMs, maxAgeMs, memory }: MetadataInput & { readonly memory: ReadonlyMap<string, Remembered> },
): Metadata {
  const asked = repositories.filter((item) => !item.name.startsWith('cdrom:'));
  const isComplete = asked.length > 0 && asked.every((item) => item.fetchedMs !== undefined);
  const fetchedMs = earliest(asked.map((item) => item.fetchedMs));
  const failed = failureOf(repositories, memory);
  return {
    ...(Number.isFinite(fetchedMs) ? { fetchedMs } : {}),
    repositories,
    isStale: !isComplete || collectedMs - fetchedMs > maxAgeMs,
    ...(failed === undefined ? {} : { refreshFailed: failed }),
  };
}

/** The failures that no later refresh has made good. */
function failureOf(
  repositories: readonly Repository[],
  memory: ReadonlyMap<string, Remembered>,
): Metadata['refreshFailed'] {
  const isFailing = new Set(repositories.flatMap(({ failsSinceMs }) => failsSinceMs ?? []));
  const failing = [...memory].filter(
    ([site, { failsSinceMs }]) => failsSinceMs !== undefined && (site === wholeRefresh || isFailing.has(failsSinceMs)),
  );
  if (failing.length === 0) return undefined;
  const reasons = new Set(failing.map(([site, { reason }]) => reason ?? `${site} did not answer`));
  return {
    message: [...reasons].join('; '),
    sinceMs: earliest(failing.map(([, { failsSinceMs }]) => failsSinceMs)),
  };
}

function describe({ file, fields }: ReleaseFile, nowMs: number): Repository {
  const released = Date.parse(fields.get('Date') ?? '');
  const label = fields.get('Label') ?? fields.get('Origin') ?? file;
  return {
    manager: 'apt',
    name: `${label} ${fields.get('Codename') ?? fields.get('Suite') ?? ''}`.trim(),
    ...(Number.isFinite(released) ? { releasedMs: released } : {}),
    ...expiry(fields.get('Valid-Until'), nowMs),
  };
}

function timeOf(ms: number): Pick<Repository, 'fetchedMs'> {
  return ms > 0 ? { fetchedMs: ms } : {};
}

function earliest(times: readonly (number | undefined)[]): number {
  return times.reduce<number>((first, ms) => (ms !== undefined && ms < first ? ms : first), Infinity);
}

function readReleaseFiles(sections: Sections): readonly ReleaseFile[] {
  return linesOf(sections, 'apt-metadata').map((line) => {
    const [file = '', mtime = '', ...pairs] = line.split('\t', 20);
    const fields = pairs
      .filter((pair) => pair.includes('='))
      .map((pair): [string, string] => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
    return { file, changedMs: secondsOf(mtime, 0) ?? 0, fields: new Map(fields) };
  });
}

function readTargets(sections: Sections): readonly Target[] {
  return linesOf(sections, 'apt-targets').map((line) => {
    const [state, site = '', file] = line.split('\t', 3);
    return { site, isFetched: state === '+', ...(file === undefined ? {} : { file }) };
  });
}

/** Lines of name, last good answer, since when it fails, and why. */
function readMemory(sections: Sections, skewMs: number): ReadonlyMap<string, Remembered> {
  return new Map(
    linesOf(sections, 'apt-refreshes').map((line): [string, Remembered] => {
      const [site = '', good, since, reason = ''] = line.split('\t', 4);
      const [goodMs, failsSinceMs] = [secondsOf(good, skewMs), secondsOf(since, skewMs)];
      return [
        site,
        {
          ...(goodMs === undefined ? {} : { goodMs }),
          ...(failsSinceMs === undefined ? {} : { failsSinceMs }),
          ...(reason === '' ? {} : { reason }),
        },
      ];
    }),
  );
}

function secondsOf(text: string | undefined, skewMs: number): number | undefined {
  return text !== undefined && /^\d{1,11}$/.test(text) ? Number(text) * 1000 - skewMs : undefined;
}

/** apt refuses lists past their date at the next refresh: the repository is dead, or the host's clock is wrong. */
function expiry(validUntil: string | undefined, nowMs: number): Pick<Repository, 'problem'> {
  const untilMs = Date.parse(validUntil ?? '');
  if (!Number.isFinite(untilMs) || untilMs >= nowMs) return {};
  return { problem: `its lists expired on ${new Date(untilMs).toISOString().slice(0, 10)}` };
}
