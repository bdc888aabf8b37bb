import { recordOf } from '../../base/record.ts';
import { FettleError } from '../../domain/error.ts';
import type { Simulation } from '../../domain/simulation.ts';
import type { Update } from '../../domain/update.ts';
import { packageKey, packageLabel } from '../../domain/update.ts';
import { linesOf, type Sections } from '../contract/sections.ts';
import type { SoftwareLists } from './software-lists.ts';
import type { SoftwarePackage } from './software-package.ts';

/**
 * What the requested packages would do, from lists that are as new as a simulation needs them. Incomplete lists say
 * nothing, and are refused.
 */
export function simulateSoftware(
  manager: string,
  sections: Sections,
  lists: SoftwareLists,
  updates: readonly Update[],
): Simulation {
  const [warning] = lists.warnings;
  if (warning !== undefined) {
    throw new FettleError('command', warning, { hint: `run ${manager} on the host by hand, then try again` });
  }
  const offers = new Map(updates.map((update) => [update.name.toLowerCase(), update]));
  const there = new Map(lists.packages.map((item) => [item.name.toLowerCase(), item]));
  const asked = linesOf(sections, 'asked').map((line) => readAsked(manager, line));
  const found = asked.map(({ id, to }) => ({ id, to, offer: offers.get(id.name.toLowerCase()) }));
  return {
    installs: found.flatMap(({ id, to, offer }) =>
      offer === undefined || offer.to !== to ? [] : [{ ...id, from: offer.from, to, origins: offer.origins }],
    ),
    removes: [],
    // Neither of them reports the size of a download ahead of it.
    downloadBytes: 0,
    errors: [],
    installed: recordOf(asked.map(({ id }) => [packageKey(id), standingOf(there.get(id.name.toLowerCase()))] as const)),
    available: recordOf(
      found.flatMap(({ id, offer }) =>
        offer === undefined ? [] : [[packageLabel(id), [{ version: offer.to, origins: offer.origins }]] as const],
      ),
    ),
  };
}

function readAsked(
  manager: string,
  line: string,
): { readonly id: { readonly manager: string; readonly name: string; readonly arch: string }; readonly to: string } {
  const [name, to, ...more] = line.split(' ', 3);
  if (name === undefined || to === undefined || more.length > 0) {
    throw new FettleError('parse', 'the host repeats what it was asked in other words', { details: { line } });
  }
  return { id: { manager, name, arch: '' }, to };
}

function standingOf(item: SoftwarePackage | undefined): Simulation['installed'][string] {
  return item === undefined ? null : { version: item.version, state: 'installed' };
}
