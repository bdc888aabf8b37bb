import { FettleError } from '../../domain/error.ts';
import { fewEnough, shortEnough } from '../../domain/limits.ts';
import { packageLabel, type InstalledPackage, type PackageId } from '../../domain/update.ts';
import { linesIn, linesOf, required, type Sections } from '../contract/sections.ts';
import { compareRpmVersions } from '../versions/rpm.ts';

/** One package of rpm's database. */
export interface RpmPackage {
  readonly name: string;
  readonly arch: string;
  /** `[epoch:]version-release`. */
  readonly evr: string;
  readonly source: SourceName;
  /** Host time, seconds. */
  readonly installedSec: number;
}

export interface SourceName {
  readonly source: string;
  readonly sourceVersion: string;
}

/** How rpm names the keys that it trusts, each as a package. */
const keyName = 'gpg-pubkey';

/** Packages by their labels, name and architecture; `parse` where the database has none at all. */
export function readDatabase(sections: Sections): ReadonlyMap<string, readonly RpmPackage[]> {
  const packages = new Map<string, RpmPackage[]>();
  let count = 0;
  for (const line of linesIn(required(sections, 'rpm-installed'), 'list of packages')) {
    const [name = '', arch = '', version = '', source = '', time = ''] = line.split('\t', 5);
    const evr = withoutZero(version);
    if (name === '' || evr === '' || name === keyName) continue;
    count += 1;
    const found = {
      name: shortEnough(name, 'package name'),
      arch: shortEnough(arch, 'architecture'),
      evr: shortEnough(evr, 'version'),
      source: sourceOf(shortEnough(source, 'name of a source package'), name, evr),
      installedSec: /^\d{1,12}$/.test(time) ? Number(time) : 0,
    };
    const key = packageLabel(found);
    const versions = packages.get(key);
    if (versions === undefined) packages.set(key, [found]);
    else fewEnough(versions, 'versions of one package').push(found);
  }
  if (count > 0 && packages.size <= fewEnough({ length: count }, 'packages').length) return packages;
  throw new FettleError('parse', 'rpm lists no installed package at all', {
    hint: 'check the host with rpm -qa; its package database may be damaged',
  });
}

/** An epoch of 0, which a package may have written down, means none; package managers leave it out. */
function withoutZero(evr: string): string {
  return evr.startsWith('0:') ? evr.slice(2) : evr;
}

/** Without a slot. */
export function idOf(manager: string, { name, arch }: Pick<PackageId, 'name' | 'arch'>): PackageId {
  return { manager, name, arch };
}

/** Names of packages that are installed beside others of their name. */
export function besideNames(sections: Sections): ReadonlySet<string> {
  return new Set(linesOf(sections, 'rpm-installonly').map((name) => shortEnough(name, 'package name')));
}

/** `openssl-3.2.2-6.el9_5.1.src.rpm`; packages without one, such as keys, are their own. */
export function sourceOf(file: string, name: string, evr: string): SourceName {
  const stem = /^(.*)\.(?:no)?src\.rpm$/.exec(file)?.[1] ?? '';
  const release = stem.lastIndexOf('-');
  const version = stem.lastIndexOf('-', release - 1);
  if (version <= 0) return { source: name, sourceVersion: evr };
  return { source: stem.slice(0, version), sourceVersion: stem.slice(version + 1) };
}

/** Newest first. */
export function newestFirst(versions: readonly RpmPackage[]): readonly RpmPackage[] {
  return versions.toSorted((left, right) => compareRpmVersions(right.evr, left.evr));
}

/**
 * One entry for each package; of those that are installed beside others of their name one for each version. Any other
 * that is there in two versions is what an update that was cut off leaves behind.
 */
export function readInstalled(manager: string, sections: Sections): readonly InstalledPackage[] {
  const entryOf = ({ name, arch, evr, source }: RpmPackage): InstalledPackage => ({
    ...idOf(manager, { name, arch }),
    version: evr,
    state: 'installed',
    ...source,
  });
  const beside = besideNames(sections);
  return [...readDatabase(sections).values()].flatMap((found): InstalledPackage[] => {
    const versions = newestFirst(found);
    const [newest] = versions;
    if (newest === undefined) return [];
    if (beside.has(newest.name)) {
      const different = new Map(versions.map((item) => [item.evr, item]));
      return [...different.values()].map((item) => ({ ...entryOf(item), slot: item.evr }));
    }
    if (versions.length === 1) return [entryOf(newest)];
    const stateDetail = `installed twice: ${versions.map(({ evr }) => evr).join(', ')}`.slice(0, 500);
    return [{ ...entryOf(newest), state: 'broken', stateDetail }];
  });
}
