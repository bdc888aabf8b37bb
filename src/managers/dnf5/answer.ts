import { FettleError } from '../../domain/error.ts';
import { fewEnough, shortEnough } from '../../domain/limits.ts';
import { packageLabel } from '../../domain/update.ts';
import { numberAt, objectsAt, parseHostJson, textAt, type HostObject } from '../contract/json.ts';
import { linesIn, linesOf, required, type Sections } from '../contract/sections.ts';
import type { AdvisoryLine, Offer, RepositoryLine, RpmAnswer, StepIn } from '../rpm/answer.ts';
import { besideNames, newestFirst, readDatabase } from '../rpm/installed.ts';
import { compareRpmVersions } from '../versions/rpm.ts';
import { readTable, type TableRow } from './table.ts';

/** `command` where dnf gave none: no answer never means no updates. */
export function readDnf5Answer(sections: Sections): RpmAnswer {
  const errors = linesOf(sections, 'dnf5-error');
  if (errors.length > 0) throw noAnswer(errors.join(' '));
  const table = readTable(linesIn(required(sections, 'dnf5-transaction'), 'table of a transaction'));
  if (!table.isComplete) throw noAnswer(linesOf(sections, 'dnf5-transaction').slice(-5).join(' '));
  const beside = besideNames(sections);
  const versions = readOffers(sections, 'dnf5-versions', beside);
  const known = new Map(versions.map((offer) => [keyOf(offer), offer]));
  const steps = table.installs.map(({ replaces, ...row }) => ({
    row,
    others: replaces.filter(({ name }) => name !== row.name),
  }));
  const database = readDatabase(sections);
  const renames = steps.flatMap(({ row, others }) => others.map((old) => ({ old: withoutRepository(old), by: row })));
  return {
    repositories: [...linesIn(required(sections, 'dnf5-repositories'), 'list of repositories')].flatMap(readRepository),
    versions,
    hidden: newestOf(readOffers(sections, 'dnf5-everything', beside).filter((offer) => !known.has(keyOf(offer)))),
    locked: new Set(linesOf(sections, 'dnf5-locked').flatMap(lockedName)),
    advisories: readAdvisories(sections),
    renames,
    // What would replace a package of another name is left out with the reason.
    installs: steps
      .filter(({ others }) => others.length === 0)
      .map(({ row }): StepIn => {
        const [newest] = newestFirst(database.get(packageLabel(row)) ?? []);
        const { name, arch, evr, repository } = row;
        const size = known.get(keyOf(row))?.size ?? 0;
        return { name, arch, from: newest?.evr ?? null, to: evr, repository, size, isBeside: beside.has(name) };
      }),
    removes: table.removes.map(withoutRepository),
    troubles: table.troubles,
  };
}

function noAnswer(words: string): FettleError {
  return new FettleError('command', `dnf5 cannot report what is pending: ${words.slice(0, 2_000)}`, {
    hint: 'check the host as root with: dnf5 -C repoquery --upgrades',
  });
}

function withoutRepository({ name, arch, evr }: TableRow): { name: string; arch: string; evr: string } {
  return { name, arch, evr };
}

function keyOf({ name, arch, evr }: Pick<Offer, 'name' | 'arch' | 'evr'>): string {
  return `${name} ${arch} ${evr}`;
}

/** Lines `version` of a format that the script sets; a version of several repositories is one. */
function readOffers(sections: Sections, section: string, beside: ReadonlySet<string>): readonly Offer[] {
  const offers = new Map<string, Offer>();
  for (const line of linesOf(sections, section)) {
    const [kind, name = '', arch = '', evr = '', repository = '', size = '', source = ''] = line.split('\t', 7);
    if (kind !== 'version' || name === '' || !evr.includes('-')) continue;
    const offer = {
      name: shortEnough(name, 'package name'),
      arch: shortEnough(arch, 'architecture'),
      evr: shortEnough(evr, 'version'),
      repositories: [shortEnough(repository, 'name of a repository')],
      size: /^\d{1,15}$/.test(size) ? Number(size) : 0,
      source: source === '(none)' ? '' : shortEnough(source, 'name of a source package'),
      isBeside: beside.has(name),
    };
    const same = offers.get(keyOf(offer));
    const repositories = same === undefined ? offer.repositories : [...new Set([...same.repositories, repository])];
    offers.set(keyOf(offer), { ...(same ?? offer), repositories });
  }
  return [...offers.values()];
}

function newestOf(offers: readonly Offer[]): readonly Offer[] {
  const newest = new Map<string, Offer>();
  for (const offer of offers) {
    const other = newest.get(packageLabel(offer));
    if (other === undefined || compareRpmVersions(offer.evr, other.evr) > 0) newest.set(packageLabel(offer), offer);
  }
  return [...newest.values()];
}

/** Identifier, when its lists were fetched, whether they have advisories. */
function readRepository(line: string): readonly RepositoryLine[] {
  const [id = '', fetched = '', advisories = ''] = line.split('\t', 3);
  if (id === '') return [];
  return [
    {
      id: shortEnough(id, 'name of a repository'),
      name: id,
      ...(/^\d{1,11}$/.test(fetched) ? { fetchedSec: Number(fetched) } : {}),
      hasAdvisories: advisories === 'advisories',
    },
  ];
}

/** `Package name: NAME` of `versionlock list`. */
function lockedName(line: string): readonly string[] {
  const prefix = 'Package name: ';
  return line.startsWith(prefix) ? [shortEnough(line.slice(prefix.length).trim(), 'package name')] : [];
}

const kinds = ['security', 'bugfix', 'enhancement'] as const;

/** Severities are those of the plain list: the one with CVEs prints the type in their place (5.4.6). */
function readAdvisories(sections: Sections): readonly AdvisoryLine[] {
  const cves = new Map<string, Set<string>>();
  for (const item of listIn(sections, 'dnf5-cves')) {
    const key = `${textAt(item, 'advisory_name')} ${textAt(item, 'nevra')}`;
    const found = cves.get(key) ?? new Set();
    cves.set(key, found);
    for (const reference of objectsAt(item, 'references')) {
      if (textAt(reference, 'reference_type') === 'cve')
        found.add(shortEnough(textAt(reference, 'reference_id'), 'CVE'));
    }
  }
  return listIn(sections, 'dnf5-advisories').flatMap((item): AdvisoryLine[] => {
    const nevra = /^(.+)-([^-]+-[^-]+)\.([^.-]+)$/.exec(shortEnough(textAt(item, 'nevra'), 'package'));
    const [, name, evr, arch] = nevra ?? [];
    if (name === undefined || evr === undefined || arch === undefined) return [];
    const id = shortEnough(textAt(item, 'name'), 'advisory id');
    const issuedSec = numberAt(item, 'buildtime');
    return [
      {
        ...{ name, arch, evr: evr.replace(/^0:/, ''), id },
        kind: kinds.find((known) => known === textAt(item, 'type')) ?? 'other',
        severity: shortEnough(textAt(item, 'severity'), 'severity'),
        ...(issuedSec === undefined ? {} : { issuedMs: issuedSec * 1000 }),
        cves: [...(cves.get(`${id} ${textAt(item, 'nevra')}`) ?? [])].toSorted(),
      },
    ];
  });
}

/** A list of objects; dnf prints `{}` for none. */
function listIn(sections: Sections, section: string): readonly HostObject[] {
  const text = (sections.get(section) ?? '').trim();
  return text === '' ? [] : fewEnough(objectsAt(parseHostJson(`{"list":${text}}`, section), 'list'), section);
}
