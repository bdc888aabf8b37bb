import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dnf5 } from '../../../src/managers/dnf5/dnf5.ts';
import type { Sections } from '../../../src/managers/contract/sections.ts';
import { parseFrame } from '../../../src/remote/frame.ts';
import type { PackageManagerRig } from '../../contract/package-manager.ts';

/** Captured from dnf 5.4.6 of Debian unstable over repositories made for the tests, by the scripts as they are here. */
export function captured(name: string): Map<string, string> {
  return new Map(parseFrame(readFileSync(join(import.meta.dirname, `../../fixtures/managers/dnf5/${name}/answer`))));
}

const answer: Sections = captured('everything');

/** @public The contract suite imports it by its path. */
export const rig: PackageManagerRig = {
  manager: dnf5,
  answer,
  essential: ['rpm-installed', 'dnf5-repositories', 'dnf5-transaction'],
  // The table that dnf prints where everything goes in.
  simulation: (updates) => {
    const rows = updates.map(
      ({ name, arch, to }) => ` ${name} ${arch} ${to.includes(':') ? '' : '0:'}${to} updates 4.0 B\n`,
    );
    return new Map([
      ...['rpm-installed', 'rpm-installonly', 'dnf5-repositories'].map((name): [string, string] => [
        name,
        answer.get(name) ?? '',
      ]),
      ['rpm-asked', updates.map(({ name, arch, to }) => `${name},${arch},${to}\n`).join('')],
      ['dnf5-transaction', `Upgrading:\n${rows.join('')}\nTransaction Summary:\n`],
    ]);
  },
  untouched: {
    'rpm-installed': answer.get('rpm-installed') ?? '',
    'rpm-installonly': answer.get('rpm-installonly') ?? '',
  },
};
