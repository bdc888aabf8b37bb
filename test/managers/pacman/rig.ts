import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pacman } from '../../../src/managers/pacman/pacman.ts';
import type { Sections } from '../../../src/managers/contract/sections.ts';
import { parseFrame } from '../../../src/remote/frame.ts';
import type { PackageManagerRig } from '../../contract/package-manager.ts';

/** Captured from pacman 6.0.2 of Debian 12 over repositories made for the tests, by the scripts as they are here. */
export function captured(name: string): Map<string, string> {
  return new Map(parseFrame(readFileSync(join(import.meta.dirname, `../../fixtures/managers/pacman/${name}/answer`))));
}

const answer: Sections = captured('everything');

/** @public The contract suite imports it by its path. */
export const rig: PackageManagerRig = {
  manager: pacman,
  answer,
  essential: ['pacman-installed', 'pacman-upgrades', 'pacman-steps'],
  // What the host answers where everything goes in.
  simulation: (updates) =>
    new Map([
      ...['pacman-installed', 'pacman-torn', 'pacman-repositories', 'pacman-offers'].map((name): [string, string] => [
        name,
        answer.get(name) ?? '',
      ]),
      ['pacman-asked', updates.map(({ name, arch, to }) => `${name},${arch},${to}\n`).join('')],
      ['pacman-steps', [...updates.map(({ name, to }) => `step\t${name}\t${to}\tcore\t1`), 'rc 0', ''].join('\n')],
    ]),
  untouched: {
    'pacman-installed': answer.get('pacman-installed') ?? '',
    'pacman-torn': '',
  },
};
