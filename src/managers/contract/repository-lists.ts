import { recordOf } from '../../base/record.ts';
import type { Metadata, Repository } from '../../domain/scan.ts';
import type { ScanMoment } from './package-manager.ts';
import { linesOf, type Sections } from './sections.ts';

/** Why the lists of a repository could not be fetched. */
export interface RefreshFailure {
  /** By the controller's clock, epoch ms. */
  readonly sinceMs: number;
  readonly reason: string;
}

/** By repository, from lines of repository, since when it fails, and why: what a refresh of ours left on the host. */
export function readRefreshFailures(
  sections: Sections,
  name: string,
  skewMs: number,
): Readonly<Record<string, RefreshFailure>> {
  return recordOf(
    linesOf(sections, name).flatMap((line): [string, RefreshFailure][] => {
      const [repository = '', since = '', reason = ''] = line.split('\t', 3);
      return /^\d{1,11}$/.test(since) ? [[repository, { sinceMs: Number(since) * 1000 - skewMs, reason }]] : [];
    }),
  );
}

/** Metadata of repositories that have an age each: as old as the oldest of them. */
export function metadataOf(
  repositories: readonly Repository[],
  reasons: readonly string[],
  { collectedMs, maxAgeMs }: Pick<ScanMoment, 'collectedMs' | 'maxAgeMs'>,
): Metadata {
  const fetchedMs = Math.min(...repositories.map((item) => item.fetchedMs ?? 0));
  const failed = repositories.filter(({ failsSinceMs }) => failsSinceMs !== undefined);
  return {
    ...(fetchedMs > 0 && repositories.length > 0 ? { fetchedMs } : {}),
    repositories,
    isStale: repositories.length === 0 || collectedMs - fetchedMs > maxAgeMs,
    ...(failed.length === 0
      ? {}
      : {
          refreshFailed: {
            message: [...new Set(reasons)].join('; ').slice(0, 2_000),
            sinceMs: Math.min(...failed.map(({ failsSinceMs = 0 }) => failsSinceMs)),
          },
        }),
  };
}
