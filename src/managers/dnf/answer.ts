import { FettleError } from '../../domain/error.ts';
import type { ScanProblem } from '../../domain/scan.ts';
import { fewEnough, shortEnough } from '../../domain/limits.ts';
import { linesIn, required, type Sections } from '../contract/sections.ts';
import type { AdvisoryLine, Offer, Rename, RepositoryLine, RpmAnswer, StepIn } from '../rpm/answer.ts';

const troubleLength = 2_000;
const mostCells = 10;

/**
 * What the program in remote/posix/managers/dnf/scan.sh answers, by its kinds of lines. `command` where dnf gave none: no
 * answer never means no updates.
 */
export function readDnfAnswer(sections: Sections): RpmAnswer {
  const kinds = new Map<string, string[][]>();
  for (const line of linesIn(required(sections, 'dnf-answer'), 'answer of dnf')) {
    if (line === '') continue;
    const [kind = '', ...cells] = line.split('\t', mostCells);
    const rows = kinds.get(kind) ?? [];
    kinds.set(kind, rows);
    fewEnough(rows, `lines of kind ${kind.slice(0, 40)}`).push(cells);
  }
  const of = (kind: string): readonly (readonly string[])[] => kinds.get(kind) ?? [];
  const error = of('error')[0];
  if (error !== undefined || !kinds.has('end')) throw noAnswer(error?.join(': '));
  return {
    repositories: of('repository').map(readRepository),
    versions: of('version').map(readOffer),
    hidden: of('hidden').map(readOffer),
    modular: of('modular').map((cells) => ({
      offer: readOffer(cells),
      module: shortEnough(cells[7] ?? '', 'name of a module'),
    })),
    ...(of('reboots').length === 0 ? {} : { rebootNames: new Set(of('reboots').map(([name = '']) => name)) }),
    doubts: of('unregistered').map(unregistered),
    locked: new Set(of('locked').map(([name = '']) => name)),
    advisories: of('advisory').map(readAdvisory),
    renames: of('rename').map(readRename),
    installs: of('in').map(readStep),
    removes: of('out').map(([name, arch, evr]) => readPackage(name, arch, evr)),
    troubles: of('trouble').map(([text = '']) => text.slice(0, troubleLength)),
  };
}

function noAnswer(words: string | undefined): FettleError {
  const why = words?.slice(0, troubleLength) ?? 'its program ended without an answer';
  return new FettleError('command', `dnf cannot report what is pending: ${why}`, {
    hint: 'check the host with: dnf -C repoquery --upgrades',
  });
}

function unregistered(): ScanProblem {
  return {
    code: 'subscription',
    message:
      'the host is not registered with subscription-manager, and has no updates of its vendor but from other repositories',
  };
}

function readPackage(name = '', arch = '', evr = ''): { name: string; arch: string; evr: string } {
  if (name === '' || arch === '' || !evr.includes('-')) {
    throw new FettleError('parse', 'the answer of dnf cannot be parsed', { details: { name: name.slice(0, 100) } });
  }
  return {
    name: shortEnough(name, 'package name'),
    arch: shortEnough(arch, 'architecture'),
    evr: shortEnough(evr, 'version'),
  };
}

function readOffer([name, arch, evr, repositories = '', size, source = '', beside]: readonly string[]): Offer {
  return {
    ...readPackage(name, arch, evr),
    repositories: wordsOf(repositories),
    size: numberOf(size) ?? 0,
    source: shortEnough(source, 'name of a source package'),
    isBeside: beside === 'beside',
  };
}

function readStep([name, arch, from = '', to, repository = '', size, beside]: readonly string[]): StepIn {
  const { evr, ...id } = readPackage(name, arch, to);
  return {
    ...id,
    from: from === '' ? null : shortEnough(from, 'version'),
    to: evr,
    repository: shortEnough(repository, 'name of a repository'),
    size: numberOf(size) ?? 0,
    isBeside: beside === 'beside',
  };
}

function readRepository([id = '', name = '', fetched, made, advisories]: readonly string[]): RepositoryLine {
  const [fetchedSec, madeSec] = [numberOf(fetched), numberOf(made)];
  return {
    id: shortEnough(id, 'name of a repository'),
    name: (name || id).slice(0, 200),
    ...(fetchedSec === undefined ? {} : { fetchedSec }),
    ...(madeSec === undefined ? {} : { madeSec }),
    hasAdvisories: advisories === 'advisories',
  };
}

const advisoryKinds = ['security', 'bugfix', 'enhancement'] as const;

function readAdvisory([
  name,
  arch,
  evr,
  id = '',
  kind,
  severity = '',
  issued,
  cves = '',
]: readonly string[]): AdvisoryLine {
  const issuedSec = numberOf(issued);
  return {
    ...readPackage(name, arch, evr),
    id: shortEnough(id, 'advisory id'),
    kind: advisoryKinds.find((known) => known === kind) ?? 'other',
    severity: shortEnough(severity, 'severity'),
    ...(issuedSec === undefined ? {} : { issuedMs: issuedSec * 1000 }),
    cves: wordsOf(cves),
  };
}

function readRename([oldName, oldArch, oldEvr, name, arch, evr, repository = '']: readonly string[]): Rename {
  return { old: readPackage(oldName, oldArch, oldEvr), by: { ...readPackage(name, arch, evr), repository } };
}

const mostWords = 2_000;

function wordsOf(cell: string): readonly string[] {
  return cell
    .split(',', mostWords)
    .filter((word) => word !== '')
    .map((word) => shortEnough(word, 'word'));
}

function numberOf(cell: string | undefined): number | undefined {
  return cell !== undefined && /^\d{1,15}$/.test(cell) ? Number(cell) : undefined;
}
