import type { PackageManager } from '../../../src/managers/contract/package-manager.ts';
import type { PackageManagerRig } from '../../contract/package-manager.ts';
import { probeSections } from '../../fixtures/managers/windows-update/sections.ts';

/** A host on which nothing but what is printed here is installed and outdated. */
export function softwareRig(
  manager: PackageManager,
  printed: { readonly installed: string; readonly outdated: string },
): PackageManagerRig {
  const lists = JSON.stringify({ phase: 'done', version: '2', listCode: 0, outdatedCode: 0, limit: 180, ...printed });
  return {
    manager,
    answer: probeSections({ sections: { [manager.name]: lists } }),
    essential: [manager.name],
    simulation: (updates) =>
      new Map([
        ['asked', updates.map(({ name, to }) => `${name} ${to}`).join('\n')],
        [manager.name, lists],
      ]),
    untouched: { results: JSON.stringify({ items: [] }), after: lists },
  };
}
