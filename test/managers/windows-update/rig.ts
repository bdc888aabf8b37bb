import { windowsUpdate } from '../../../src/managers/windows-update/windows-update.ts';
import type { PackageManagerRig } from '../../contract/package-manager.ts';
import { probeSections, record, scanText } from '../../fixtures/managers/windows-update/sections.ts';

const host = { updates: [record(1), record(2)], installed: [record(3)] };

/** @public The contract suite imports it by its path. */
export const rig: PackageManagerRig = {
  manager: windowsUpdate,
  answer: probeSections(host),
  essential: ['windows-update'],
  simulation: (updates) =>
    new Map([
      ['asked', updates.map(({ name, arch, to }) => `${name} ${arch} ${to}`).join('\n')],
      ['windows-update', scanText(host)],
    ]),
  untouched: { results: JSON.stringify({ items: [], already: [] }), after: scanText(host) },
};
