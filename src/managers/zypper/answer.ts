import { packageLabel } from '../../domain/update.ts';
import { attribute, type XmlElement } from '../../domain/xml.ts';
import { firstLine, linesOf, type Sections } from '../contract/sections.ts';
import type { Offer, RepositoryLine, RpmAnswer, StepIn } from '../rpm/answer.ts';
import { besideNames, newestFirst, readDatabase, type RpmPackage } from '../rpm/installed.ts';
import { placeOf, readDetails, readRenames, type Details } from './details.ts';
import {
  elementsOf,
  messagesOf,
  problemsOf,
  readAnyDocument,
  readDocument,
  versionKey,
  versionOf,
  type NamedVersion,
  type ZypperDocument,
} from './documents.ts';
import { readAdvisories } from './patches.ts';

/** What is known of the host besides the one document that is read. */
interface Known {
  readonly installed: ReadonlyMap<string, readonly RpmPackage[]>;
  readonly beside: ReadonlySet<string>;
  readonly details: ReadonlyMap<string, Details>;
  /** Aliases of repositories by their names. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** What remote/posix/managers/zypper/scan.sh answers to a scan. */
export function readScanAnswer(sections: Sections): RpmAnswer {
  const repositories = readRepositories(sections);
  const known = knownOf(sections, repositories);
  const renames = readRenames(sections, known.installed, repositories);
  const { locked, isHidden } = readLocks(sections);
  const offers = readOffers(sections, known);
  const { advisories, isKnown, unexplained } = readAdvisories(sections, known.installed);
  const newer = new Set(elementsOf(readDocument(sections, 'zypper-newer'), 'update').map(versionOf).map(versionKey));
  const replacing = new Set(renames.map(({ by }) => versionKey(by)));
  const step = readAnyDocument(sections, 'zypper-step');
  const going = [
    ...elementsOf(readDocument(sections, 'zypper-next'), 'update').filter(
      (item) => attribute(item, 'kind') === 'package',
    ),
    ...newPackages(step, known),
  ];
  return {
    repositories: isKnown ? repositories : repositories.map((item) => ({ ...item, hasAdvisories: false })),
    versions: offers.filter((offer) => !isHidden(offer)),
    hidden: offers.filter((offer) => isHidden(offer) && newer.has(versionKey(offer))),
    locked,
    advisories,
    renames,
    installs: stepsOf(going.map(versionOf), offers, known).filter(
      (item) => !replacing.has(versionKey({ ...item, evr: item.to })),
    ),
    removes: [],
    troubles: [...unexplained, ...linesOf(sections, 'zypper-reasons'), ...refusalsOf(step)],
    ...(firstLine(sections, 'zypper-reboot') === undefined
      ? {}
      : { rebootReason: 'zypper needs-rebooting: packages were installed that ask for it' }),
  };
}

/** What the same file answers to a simulation. */
export function readSimulationAnswer(sections: Sections): RpmAnswer {
  const repositories = readRepositories(sections);
  const known = knownOf(sections, repositories);
  const offers = readOffers(sections, known);
  const step = readAnyDocument(sections, 'zypper-step');
  const leaving = elementsOf(step, 'to-remove').flatMap(({ children }) => children);
  const coming = elementsOf(step, 'solvable').filter((item) => !leaving.includes(item));
  const size = attribute(elementsOf(step, 'install-summary')[0], 'download-size') ?? '';
  return {
    ...{ repositories, versions: offers, hidden: [], locked: new Set(), advisories: [], renames: [] },
    installs: stepsOf(coming.filter(isPackage).map(versionOf), offers, known),
    removes: leaving.filter(isPackage).map(versionOf),
    troubles: refusalsOf(step),
    ...(/^\d{1,15}$/.test(size) ? { downloadBytes: Number(size) } : {}),
  };
}

/** Patches and products are listed beside packages. */
function isPackage(element: XmlElement): boolean {
  return (attribute(element, 'type') ?? attribute(element, 'kind') ?? 'package') === 'package';
}

function knownOf(sections: Sections, repositories: readonly RepositoryLine[]): Known {
  return {
    installed: readDatabase(sections),
    beside: besideNames(sections),
    details: readDetails(sections),
    aliases: new Map(repositories.map(({ id, name }) => [name, id])),
  };
}

/** Enabled ones. */
function readRepositories(sections: Sections): readonly RepositoryLine[] {
  const lists = new Map(
    linesOf(sections, 'zypper-lists').map((line) => {
      const [place = '', fetched = '', made = '', advisories = ''] = line.split('\t', 4);
      const [fetchedSec, madeSec] = [secondsOf(fetched), secondsOf(made)];
      const times = {
        ...(fetchedSec === undefined ? {} : { fetchedSec }),
        ...(madeSec === undefined ? {} : { madeSec }),
      };
      return [place, { ...times, hasAdvisories: advisories !== '' }];
    }),
  );
  return elementsOf(readDocument(sections, 'zypper-repositories'), 'repo')
    .filter((element) => attribute(element, 'enabled') !== '0')
    .map((element): RepositoryLine => {
      const id = (attribute(element, 'alias') ?? '').slice(0, 200);
      const list = lists.get(placeOf(id));
      return { hasAdvisories: false, ...list, id, name: (attribute(element, 'name') ?? id).slice(0, 200) };
    });
}

function secondsOf(text: string): number | undefined {
  return /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

interface Locks {
  /** Names of packages that a lock keeps. */
  readonly locked: ReadonlySet<string>;
  readonly isHidden: (version: NamedVersion) => boolean;
}

/** A lock on an installed package keeps it at its version; one that matches other versions alone only hides those. */
function readLocks(sections: Sections): Locks {
  const matches = elementsOf(readDocument(sections, 'zypper-locks'), 'match').filter(isPackage);
  const kept = new Set(
    matches.filter((item) => attribute(item, 'installed') === 'true').map((item) => packageLabel(versionOf(item))),
  );
  const keys = new Set(matches.map(versionOf).map(versionKey));
  return {
    locked: new Set(matches.map((item) => versionOf(item).name)),
    isHidden: (version) => kept.has(packageLabel(version)) || keys.has(versionKey(version)),
  };
}

/** Each version once, with all repositories that have it; what only the system has is not on offer. */
function readOffers(sections: Sections, known: Known): readonly Offer[] {
  const offers = new Map<string, Offer>();
  for (const element of elementsOf(readDocument(sections, 'zypper-versions'), 'solvable').filter(isPackage)) {
    const version = versionOf(element);
    const key = versionKey(version);
    const alias = known.aliases.get(attribute(element, 'repository') ?? '');
    if (alias === undefined) continue;
    const { size = 0, source = '' } = known.details.get(key) ?? {};
    const repositories = [...new Set([...(offers.get(key)?.repositories ?? []), alias])];
    offers.set(key, { ...version, repositories, size, source, isBeside: known.beside.has(version.name) });
  }
  return [...offers.values()];
}

function newPackages(step: ZypperDocument | undefined, { installed }: Known): readonly XmlElement[] {
  return elementsOf(step, 'to-install')
    .flatMap(({ children }) => children)
    .filter((element) => isPackage(element) && !installed.has(packageLabel(versionOf(element))));
}

function stepsOf(versions: readonly NamedVersion[], offers: readonly Offer[], known: Known): readonly StepIn[] {
  const byKey = new Map(offers.map((offer) => [versionKey(offer), offer]));
  return versions.map(({ name, arch, evr }) => {
    const [current] = newestFirst(known.installed.get(packageLabel({ name, arch })) ?? []);
    const offer = byKey.get(versionKey({ name, arch, evr }));
    return {
      ...{ name, arch, from: current?.evr ?? null, to: evr },
      repository: offer?.repositories[0] ?? '',
      size: offer?.size ?? 0,
      isBeside: known.beside.has(name),
    };
  });
}

function refusalsOf(step: ZypperDocument | undefined): readonly string[] {
  return step === undefined ? [] : [...problemsOf(step), ...messagesOf(step, 'error')].slice(0, 100);
}
