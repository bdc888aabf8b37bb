import { recordOf } from '../../base/record.ts';
import { FettleError } from '../../domain/error.ts';
import type { SimulatedUpdate, Simulation, Standing } from '../../domain/simulation.ts';
import type { InstalledPackage, Update } from '../../domain/update.ts';
import { packageKey, packageLabel } from '../../domain/update.ts';
import { linesOf, required, type Sections } from '../contract/sections.ts';
import { refuseProblem } from '../family/windows-refusals.ts';
import { installedUpdates } from './installed.ts';
import { readWindowsUpdateScan, type WindowsUpdateRecord, type WindowsUpdateScan } from './records.ts';
import { isDefinition, isDefinitionName, nameOf, readWindowsUpdates } from './selection.ts';

/** Which of the asked (id, revision) pairs are still on offer. Windows Update resolves no dependencies. */
export function parseSimulation(sections: Sections): Simulation {
  refuseProblem(sections);
  const scan = readWindowsUpdateScan(required(sections, 'windows-update'));
  const asked = linesOf(sections, 'asked').map(readAsked);
  const updates = new Map(readWindowsUpdates(scan).map((update) => [packageKey(update), update]));
  const records = new Map(scan.offered.map((record) => [record.id, record]));
  const there = new Map(installedUpdates(scan).map((item) => [packageKey(item), item]));
  const offered = asked.flatMap(({ key, to }) => {
    const update = updates.get(key);
    return update === undefined || update.to !== to ? [] : [update];
  });
  const available = asked.flatMap(({ key, name, id }) => {
    const update = updates.get(key);
    return update === undefined
      ? []
      : [[packageLabel({ name, arch: id }), [{ version: update.to, origins: update.origins }]] as const];
  });
  const gone = asked.filter(({ key, to }) => updates.get(key)?.to !== to && there.get(key) === undefined);
  return {
    ...readSuccessors(scan, gone),
    installs: offered.map(simulated),
    removes: [],
    downloadBytes: offered.reduce((sum, { arch }) => sum + bytesLeft(records.get(arch)), 0),
    errors: [],
    // Not installed is the state before every update; only one that is offered or in has a place of its own.
    installed: recordOf(asked.map(({ key }) => [key, standing(there.get(key))] as const)),
    available: recordOf(available),
  };
}

/**
 * Definitions come under a new id several times a day, and other updates are replaced by ones that name them: the KB
 * number, or the list of what an update supersedes, leads to what stands on offer now.
 */
function readSuccessors(
  scan: WindowsUpdateScan,
  gone: readonly { readonly key: string; readonly name: string; readonly id: string }[],
): Pick<Simulation, 'successors' | 'renewing'> {
  if (gone.length === 0) return {};
  const updates = readWindowsUpdates(scan);
  const byName = new Map(updates.map((update) => [update.name, update]));
  const replacing = new Map(scan.offered.map((record) => [record.id, record.supersedes]));
  const byReplaced = new Map(
    updates
      .filter((update) => update.heldBack === undefined)
      .flatMap((update) => (replacing.get(update.arch) ?? []).map((id) => [id, update] as const)),
  );
  const renewing = new Set([...scan.offered, ...scan.installed].filter(isDefinition).map(nameOf));
  const successors = gone.flatMap(({ key, name, id }) => {
    const same = byName.get(name);
    const next = same === undefined || same.arch === id ? byReplaced.get(id) : same;
    if (next === undefined || next.arch === id) return [];
    return [[key, simulated(next)]] as const;
  });
  return {
    successors: recordOf(successors),
    renewing: gone.filter(({ name }) => renewing.has(name) || isDefinitionName(name)).map(({ key }) => key),
  };
}

function readAsked(line: string): {
  readonly key: string;
  readonly name: string;
  readonly id: string;
  readonly to: string;
} {
  const [name, arch, to, ...more] = line.split(' ', 4);
  if (name === undefined || arch === undefined || to === undefined || more.length > 0) {
    throw new FettleError('parse', 'the host repeats what it was asked in other words', { details: { line } });
  }
  return { key: packageKey({ manager: 'windows-update', name, arch }), name, id: arch, to };
}

function simulated({ manager, name, arch, from, to, origins }: Update): SimulatedUpdate {
  return { manager, name, arch, from, to, origins };
}

function standing(item: InstalledPackage | undefined): Standing {
  return { version: item?.version ?? '', state: 'installed' };
}

function bytesLeft(record: WindowsUpdateRecord | undefined): number {
  return record === undefined || record.isDownloaded ? 0 : (record.sizeMax ?? 0);
}
