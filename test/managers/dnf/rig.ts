import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dnf } from '../../../src/managers/dnf/dnf.ts';
import type { Sections } from '../../../src/managers/contract/sections.ts';
import { parseFrame } from '../../../src/remote/frame.ts';
import type { PackageManagerRig } from '../../contract/package-manager.ts';

/** Captured from dnf 4.14 of Debian 12 over repositories made for the tests, by the scripts as they are here. */
export function captured(name: string): Map<string, string> {
  return new Map(parseFrame(readFileSync(join(import.meta.dirname, `../../fixtures/managers/dnf/${name}/answer`))));
}

const answer: Sections = captured('everything');

/** @public The contract suite imports it by its path. */
export const rig: PackageManagerRig = {
  manager: dnf,
  answer,
  essential: ['rpm-installed', 'dnf-answer'],
  // What the program answers where everything goes in.
  simulation: (updates) => {
    const lines = updates.map(({ name, arch, from, to, slot }) =>
      ['in', name, arch, from, to, 'updates', '0', slot === undefined ? '' : 'beside'].join('\t'),
    );
    return new Map([
      ...['rpm-installed', 'rpm-installonly'].map((name): [string, string] => [name, answer.get(name) ?? '']),
      ['rpm-asked', updates.map(({ name, arch, to }) => `${name},${arch},${to}\n`).join('')],
      ['dnf-answer', [...lines, 'end', ''].join('\n')],
    ]);
  },
  untouched: {
    'rpm-installed': answer.get('rpm-installed') ?? '',
    'rpm-installonly': answer.get('rpm-installonly') ?? '',
  },
};
