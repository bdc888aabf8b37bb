import { shortEnough } from '../../domain/limits.ts';
import { packageLabel } from '../../domain/update.ts';
import { attribute, childOf, type XmlElement } from '../../domain/xml.ts';
import { linesOf, type Sections } from '../contract/sections.ts';
import type { AdvisoryLine } from '../rpm/answer.ts';
import type { RpmPackage } from '../rpm/installed.ts';
import { elementsOf, readDocument } from './documents.ts';

type Patch = Omit<AdvisoryLine, 'name' | 'arch' | 'evr'>;

interface NeededPatches {
  readonly advisories: readonly AdvisoryLine[];
  /** False: of no patch it is known what it is about. */
  readonly isKnown: boolean;
  /** A sentence for each patch of which the packages are not known. */
  readonly unexplained: readonly string[];
}

const kinds: Readonly<Record<string, AdvisoryLine['kind']>> = {
  security: 'security',
  recommended: 'bugfix',
  bugfix: 'bugfix',
  optional: 'enhancement',
  feature: 'enhancement',
  enhancement: 'enhancement',
};

/**
 * What the needed patches are about. A patch lists no versions: it conflicts with every package that is older than the version
 * it brings, and these conflicts are what `zypper info` prints.
 */
export function readAdvisories(
  sections: Sections,
  installed: ReadonlyMap<string, readonly RpmPackage[]>,
): NeededPatches {
  const patches = new Map(
    elementsOf(readDocument(sections, 'zypper-patches'), 'update')
      .filter((element) => attribute(element, 'kind') === 'patch')
      .map(patchOf)
      .map((patch) => [patch.id, patch]),
  );
  const byName = namesOf(installed);
  const explained = new Set<string>();
  const advisories = linesOf(sections, 'zypper-fixed').flatMap((line): AdvisoryLine[] => {
    const [id = '', named = '', evr = ''] = line.split('\t', 3);
    const patch = patches.get(id);
    if (patch === undefined || evr === '') return [];
    explained.add(id);
    const packages = byName.get(named) ?? [];
    return packages.map(({ name, arch }) => ({ ...patch, name, arch, evr: shortEnough(evr, 'version') }));
  });
  const unexplained = [...patches.keys()].filter((id) => !explained.has(id)).slice(0, 20);
  const isKnown = patches.size === 0 || explained.size > 0;
  return {
    advisories,
    isKnown,
    unexplained: unexplained.map((id) => `zypper info does not say which packages ${id} is about`),
  };
}

/** Installed packages by `name.arch`, and by their name, which stands for every architecture. */
function namesOf(
  installed: ReadonlyMap<string, readonly RpmPackage[]>,
): ReadonlyMap<string, readonly Pick<RpmPackage, 'name' | 'arch'>[]> {
  const found = new Map<string, Pick<RpmPackage, 'name' | 'arch'>[]>();
  const add = (key: string, item: Pick<RpmPackage, 'name' | 'arch'>): void => {
    const list = found.get(key);
    if (list === undefined) found.set(key, [item]);
    else if (!list.some((known) => packageLabel(known) === packageLabel(item))) list.push(item);
  };
  for (const [item] of installed.values()) {
    if (item === undefined) continue;
    add(`${item.name}.${item.arch}`, item);
    add(item.name, item);
  }
  return found;
}

function patchOf(element: XmlElement): Patch {
  const issued = attribute(childOf(element, '', 'issue-date'), 'time_t') ?? '';
  const issues = childOf(element, '', 'issue-list')?.children ?? [];
  const cves = issues
    .filter((issue) => attribute(issue, 'type') === 'cve')
    .map((issue) => shortEnough(attribute(issue, 'id') ?? '', 'CVE'));
  return {
    id: shortEnough(attribute(element, 'name') ?? '', 'advisory id'),
    kind: kinds[attribute(element, 'category') ?? ''] ?? 'other',
    severity: shortEnough(attribute(element, 'severity') ?? '', 'severity'),
    ...(/^\d{1,12}$/.test(issued) ? { issuedMs: Number(issued) * 1000 } : {}),
    cves: [...new Set(cves)],
    asksForReboot: attribute(element, 'restart') === 'true',
  };
}
