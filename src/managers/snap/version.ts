import { FettleError } from '../../domain/error.ts';
import type { SnapRow } from './tables.ts';

/**
 * What stands for a version in plans: `146.0-1 (7355)`, as `snap info` prints it. The revision in parentheses is exact
 * and all that requests name; the version before it is what its publisher calls it, and is for people.
 */
export function versionOf({ version, revision }: Pick<SnapRow, 'version' | 'revision'>): string {
  return `${version} (${revision})`;
}

/** The revision of the store that such a version names; `config` where it names none. */
export function revisionOf(version: string): string {
  const revision = /^[^ ]+ \(([1-9]\d{0,9})\)$/.exec(version)?.[1];
  if (revision !== undefined) return revision;
  throw new FettleError('config', `${JSON.stringify(version)} names no revision of the Snap Store`, {
    hint: 'a version of a snap reads as in: 146.0-1 (7355)',
  });
}
