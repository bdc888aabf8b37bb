import { recordOf } from '../../base/record.ts';
import type { Simulation, Standing } from '../../domain/simulation.ts';
import { packageKey, packageLabel, type InstalledPackage, type PackageId } from '../../domain/update.ts';
import type { Pin } from '../contract/package-manager.ts';
import { linesOf, type Sections } from '../contract/sections.ts';
import { compareRpmVersions } from '../versions/rpm.ts';
import type { Offer, RpmAnswer } from './answer.ts';
import { besideNames, idOf, readInstalled } from './installed.ts';

export function readSimulation(manager: string, sections: Sections, answer: RpmAnswer): Simulation {
  const slotted = ({ name, arch, to }: Pick<Pin, 'name' | 'arch' | 'to'>): PackageId => ({
    ...idOf(manager, { name, arch }),
    ...(beside.has(name) ? { slot: to } : {}),
  });
  const beside = new Set([
    ...besideNames(sections),
    ...[...answer.versions, ...answer.installs].filter((item) => item.isBeside).map(({ name }) => name),
  ]);
  const standings = standingsOf(readInstalled(manager, sections));
  const asked = linesOf(sections, 'rpm-asked').map((line): readonly [string, Standing | null] => {
    const [name = '', arch = '', to = ''] = line.split(',', 3);
    const id = slotted({ name, arch, to });
    return [packageKey(id), standings(id)];
  });
  return {
    installs: answer.installs.map((step) => ({
      ...slotted(step),
      from: step.from,
      to: step.to,
      origins: [step.repository],
    })),
    removes: answer.removes.map(({ name, arch, evr }) => ({ ...idOf(manager, { name, arch }), version: evr })),
    downloadBytes: answer.downloadBytes ?? answer.installs.reduce((sum, { size }) => sum + size, 0),
    errors: answer.troubles,
    installed: recordOf(asked),
    available: availableOf(answer.versions),
  };
}

/** Of a version that is not there beside others, the newest that is. */
function standingsOf(packages: readonly InstalledPackage[]): (id: PackageId) => Standing | null {
  const byKey = new Map(packages.map((item) => [packageKey(item), item]));
  // The newest comes first.
  const newest = new Map(packages.toReversed().map((item) => [packageLabel(item), item]));
  return (id) => {
    const found = byKey.get(packageKey(id)) ?? newest.get(packageLabel(id));
    if (found === undefined) return null;
    const { version, state, stateDetail } = found;
    return { version, state, ...(stateDetail === undefined ? {} : { stateDetail }) };
  };
}

/** Newest first. */
function availableOf(versions: readonly Offer[]): Simulation['available'] {
  const found = new Map<string, Offer[]>();
  for (const offer of versions) {
    const offers = found.get(packageLabel(offer)) ?? [];
    found.set(packageLabel(offer), offers);
    offers.push(offer);
  }
  return recordOf(
    [...found].map(([label, offers]) => [
      label,
      offers
        .toSorted((left, right) => compareRpmVersions(right.evr, left.evr))
        .map(({ evr, repositories }) => ({ version: evr, origins: repositories })),
    ]),
  );
}
