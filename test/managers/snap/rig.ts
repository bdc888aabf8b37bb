import { snap } from '../../../src/managers/snap/snap.ts';
import type { PackageManagerRig } from '../../contract/package-manager.ts';
import { list, sectionsOf } from './captured.ts';

/** @public The contract suite imports it by its path. */
export const rig: PackageManagerRig = {
  manager: snap,
  answer: sectionsOf(),
  essential: ['snap-installed', 'snap-installed-status'],
  simulation: (updates) =>
    sectionsOf({ asked: updates.map(({ name, to }) => `${name} ${/\((\d+)\)$/.exec(to)?.[1] ?? ''}\n`).join('') }),
  untouched: { 'snap-installed': list, 'snap-installed-status': '0\n\n' },
};
