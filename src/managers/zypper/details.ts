import { shortEnough } from '../../domain/limits.ts';
import { packageLabel } from '../../domain/update.ts';
import { linesOf, type Sections } from '../contract/sections.ts';
import type { Rename, RepositoryLine } from '../rpm/answer.ts';
import { newestFirst, type RpmPackage } from '../rpm/installed.ts';
import { compareRpmVersions } from '../versions/rpm.ts';
import { versionKey } from './documents.ts';

/** What the fetched lists say of one version. */
export interface Details {
  /** Bytes to download. */
  readonly size: number;
  /** The file name of its source package. */
  readonly source: string;
}

/** By the keys of the versions. Empty where the lists are packed in a way the host has no program for. */
export function readDetails(sections: Sections): ReadonlyMap<string, Details> {
  return new Map(
    rowsOf(sections, 'package').map(([, name = '', arch = '', evr = '', size = '', source = '']) => [
      versionKey({ name, arch, evr }),
      { size: /^\d{1,15}$/.test(size) ? Number(size) : 0, source: shortEnough(source, 'name of a source package') },
    ]),
  );
}

/** The name of the directory in which libzypp keeps the lists of a repository. */
export function placeOf(alias: string): string {
  return alias.replaceAll('/', '_');
}

function rowsOf(sections: Sections, kind: string): readonly (readonly string[])[] {
  return linesOf(sections, 'zypper-details')
    .map((line) => line.split('\t', 8))
    .filter(([first]) => first === kind)
    .map(([, ...cells]) => cells);
}

/**
 * Packages on offer that would replace an installed one of another name: of each package its newest version only. Lists of
 * repositories that are disabled stay on the host.
 */
export function readRenames(
  sections: Sections,
  installed: ReadonlyMap<string, readonly RpmPackage[]>,
  repositories: readonly RepositoryLine[],
): readonly Rename[] {
  const aliases = new Map(repositories.map(({ id }) => [placeOf(id), id]));
  const byName = new Map([...installed.values()].flatMap((list) => list.slice(0, 1)).map((item) => [item.name, item]));
  const renames = rowsOf(sections, 'obsoletes').flatMap((cells): Rename[] => {
    const [place = '', name = '', arch = '', evr = '', oldName = '', flag = '', limit = ''] = cells;
    const old = byName.get(shortEnough(oldName, 'package name'));
    const repository = aliases.get(place);
    if (old === undefined || repository === undefined || !isWithin(old.evr, flag, shortEnough(limit, 'version')))
      return [];
    const by = { name: shortEnough(name, 'package name'), arch, evr: shortEnough(evr, 'version'), repository };
    const [present] = newestFirst(installed.get(packageLabel(by)) ?? []);
    return present !== undefined && compareRpmVersions(present.evr, evr) >= 0 ? [] : [{ old, by }];
  });
  const newest = new Map<string, Rename>();
  for (const rename of renames) {
    const key = `${packageLabel(rename.old)} ${packageLabel(rename.by)}`;
    const known = newest.get(key);
    if (known === undefined || compareRpmVersions(rename.by.evr, known.by.evr) > 0) newest.set(key, rename);
  }
  return [...newest.values()].map(({ old: { name, arch, evr }, by }) => ({ old: { name, arch, evr }, by }));
}

/** The flags of dependencies in rpm's lists: LT, LE, EQ, GE, GT; without one every version is meant. */
function isWithin(evr: string, flag: string, limit: string): boolean {
  if (flag === '') return true;
  const order = compareRpmVersions(evr, limit);
  // `Obsoletes: a < 2` names no release, and `2-1` is not below it; `= 2` means every release of it.
  if (order === 0 || (!limit.includes('-') && compareRpmVersions(evr.replace(/-[^-]*$/, ''), limit) === 0)) {
    return ['LE', 'EQ', 'GE'].includes(flag);
  }
  return order < 0 ? ['LT', 'LE'].includes(flag) : ['GT', 'GE'].includes(flag);
}
