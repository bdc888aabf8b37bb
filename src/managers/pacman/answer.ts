import { FettleError } from '../../domain/error.ts';
import { fewEnough, shortEnough } from '../../domain/limits.ts';
import { packageKey, type InstalledPackage, type PackageId } from '../../domain/update.ts';
import { linesIn, linesOf, required, type Sections } from '../contract/sections.ts';
import type { Party } from './relations.ts';

/** One package of alpm's database. */
export interface AlpmPackage extends Party {
  readonly arch: string;
  /** The package base: what one PKGBUILD makes together. */
  readonly base: string;
  /** Host time, seconds; 0: unknown. */
  readonly installedSec: number;
  readonly isDependency: boolean;
}

/** One package as a repository offers it. */
export interface Offer extends Party {
  readonly repository: string;
  readonly arch: string;
  readonly replaces: readonly string[];
}

/** One line of `pacman -Qu`. */
export interface Upgrade {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** By IgnorePkg or IgnoreGroup. */
  readonly isIgnored: boolean;
}

/** What would go in by an upgrade of everything. */
export interface Step {
  readonly name: string;
  readonly version: string;
  readonly repository: string;
  /** Bytes to download; 0 where it lies in the cache. */
  readonly size: number;
}

const troubleLength = 2_000;
const mostWords = 1_000;

/** Packages by name; `parse` where the database has none at all. */
export function readDatabase(sections: Sections): ReadonlyMap<string, AlpmPackage> {
  const packages = new Map<string, AlpmPackage>();
  for (const line of linesIn(required(sections, 'pacman-installed'), 'list of packages')) {
    const [name = '', arch = '', version = '', base = '', time = '', reason = '', conflicts = '', provides = ''] =
      line.split('\t', 8);
    if (name === '' || version === '') continue;
    packages.set(name, {
      name: shortEnough(name, 'package name'),
      arch: shortEnough(arch, 'architecture'),
      version: shortEnough(version, 'version'),
      base: shortEnough(base === '' ? name : base, 'name of a package base'),
      installedSec: /^\d{1,12}$/.test(time) ? Number(time) : 0,
      isDependency: reason === '1',
      conflicts: wordsOf(conflicts),
      provides: wordsOf(provides),
    });
  }
  if (fewEnough({ length: packages.size }, 'packages').length > 0) return packages;
  throw new FettleError('parse', 'pacman lists no installed package at all', {
    hint: 'check the host with pacman -Q; its package database may be damaged',
  });
}

export function idOf(name: string, arch: string): PackageId {
  return { manager: 'pacman', name, arch };
}

/** One entry for each package: of one whose entry in the database is not whole, that one and nothing else. */
export function readInstalled(sections: Sections): readonly InstalledPackage[] {
  const cutOff = new Set(linesOf(sections, 'pacman-cut-off'));
  const torn = linesOf(sections, 'pacman-torn').map((line): InstalledPackage => {
    const [name = '', arch = '', version = ''] = line.split('\t', 3);
    return {
      ...idOf(shortEnough(name, 'package name'), shortEnough(arch, 'architecture')),
      version: shortEnough(version, 'version'),
      ...{ state: 'broken', stateDetail: 'its entry in the database is not whole' },
      ...{ source: name, sourceVersion: version },
    };
  });
  const isTorn = new Set(torn.map(({ name }) => name));
  const whole = [...readDatabase(sections).values()].filter(({ name }) => !isTorn.has(name));
  return [
    ...whole.map(({ name, arch, version, base }): InstalledPackage => ({
      ...{ ...idOf(name, arch), version },
      ...(cutOff.has(name)
        ? { state: 'broken', stateDetail: 'its upgrade was cut off before all scripts and hooks had run' }
        : { state: 'installed' }),
      ...{ source: base, sourceVersion: version },
    })),
    ...new Map(torn.map((item) => [packageKey(item), item])).values(),
  ];
}

/** `command` where pacman did not get to its end, or says that its lists are damaged: that is never "no updates". */
export function readUpgrades(sections: Sections): readonly Upgrade[] {
  const { lines, status } = answerOf(sections, 'pacman-upgrades');
  const complaint = lines.find((line) => line.startsWith('error: '));
  if (status > 1 || complaint !== undefined) throw noAnswer(complaint ?? `pacman -Qu ended with status ${status}`);
  return lines.flatMap((line): Upgrade[] => {
    const [name = '', from = '', arrow, to = '', ignored] = line.split(' ', 5);
    if (arrow !== '->' || to === '') return [];
    return [
      {
        name: shortEnough(name, 'package name'),
        from: shortEnough(from, 'version'),
        to: shortEnough(to, 'version'),
        isIgnored: ignored === '[ignored]',
      },
    ];
  });
}

/** Where pacman finds no way to upgrade everything there are no steps, and `troubles` has its words. */
export function readSteps(sections: Sections): {
  readonly steps: readonly Step[];
  readonly troubles: readonly string[];
} {
  const { lines, status } = answerOf(sections, 'pacman-steps');
  const steps = lines.flatMap((line): Step[] => {
    const [kind, name = '', version = '', repository = '', size = ''] = line.split('\t', 5);
    if (kind !== 'step' || name === '' || version === '') return [];
    return [
      {
        name: shortEnough(name, 'package name'),
        version: shortEnough(version, 'version'),
        repository: shortEnough(repository, 'name of a repository'),
        size: /^\d{1,15}$/.test(size) ? Number(size) : 0,
      },
    ];
  });
  if (status === 0) return { steps, troubles: [] };
  const said = lines.filter((line) => line.startsWith(':: ')).map((line) => line.slice(3, troubleLength));
  const complaints = lines.filter((line) => line.startsWith('error: ')).map((line) => line.slice(7, troubleLength));
  const troubles = said.length > 0 ? said : complaints;
  if (troubles.length === 0) throw noAnswer(`pacman -Sup ended with status ${status}`);
  return { steps: [], troubles };
}

function answerOf(sections: Sections, name: string): { readonly lines: readonly string[]; readonly status: number } {
  required(sections, name);
  const lines = linesOf(sections, name);
  const status = /^rc (\d{1,3})$/.exec(lines.at(-1) ?? '')?.[1];
  if (status === undefined) throw noAnswer('the answer is cut off');
  return { lines: lines.slice(0, -1), status: Number(status) };
}

function noAnswer(why: string): FettleError {
  return new FettleError('command', `pacman cannot report what is pending: ${why.slice(0, troubleLength)}`, {
    hint: 'check the host with: pacman -Sup',
  });
}

/** The first repository's, as pacman itself would take it. */
export function readOffers(sections: Sections): ReadonlyMap<string, Offer> {
  const offers = new Map<string, Offer>();
  for (const line of linesOf(sections, 'pacman-offers')) {
    const [name = '', version = '', repository = '', arch = '', conflicts = '', provides = '', replaces = ''] =
      line.split('\t', 7);
    if (name === '' || version === '' || offers.has(name)) continue;
    offers.set(name, {
      name: shortEnough(name, 'package name'),
      version: shortEnough(version, 'version'),
      repository: shortEnough(repository, 'name of a repository'),
      arch: shortEnough(arch, 'architecture'),
      conflicts: wordsOf(conflicts),
      provides: wordsOf(provides),
      replaces: wordsOf(replaces),
    });
  }
  return offers;
}

function wordsOf(cell: string): readonly string[] {
  return cell
    .split(',', mostWords)
    .filter((word) => word !== '')
    .map((word) => shortEnough(word, 'word'));
}
