import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zypper } from '../../../src/managers/zypper/zypper.ts';
import type { Sections } from '../../../src/managers/contract/sections.ts';
import { parseFrame } from '../../../src/remote/frame.ts';
import type { PackageManagerRig } from '../../contract/package-manager.ts';

/** Captured from zypper 1.14.42 of Debian 12 over repositories made for the tests, by the scripts as they are here. */
export function captured(name: string): Map<string, string> {
  return new Map(parseFrame(readFileSync(join(import.meta.dirname, `../../fixtures/managers/zypper/${name}/answer`))));
}

const answer: Sections = captured('everything');

/** What zypper answers where everything goes in. */
export function summaryOf(
  lists: Readonly<Record<string, readonly { readonly name: string; readonly arch: string; readonly to: string }[]>>,
): string {
  const elements = Object.entries(lists).map(([list, packages]) => {
    const solvables = packages.map(
      ({ name, arch, to }) =>
        `<solvable type="package" name="${name}" edition="${to}" arch="${arch}" summary="made for tests"/>`,
    );
    return `<${list}>\n${solvables.join('\n')}\n</${list}>`;
  });
  return `<?xml version='1.0'?>\n<stream>\n<install-summary download-size="0" space-usage-diff="0" packages-to-change="1">\n${elements.join('\n')}\n</install-summary>\n</stream>\n<!-- exit 0 -->\n`;
}

/** @public The contract suite imports it by its path. */
export const rig: PackageManagerRig = {
  manager: zypper,
  answer,
  essential: [
    ...['rpm-installed', 'zypper-repositories', 'zypper-newer', 'zypper-next', 'zypper-locks', 'zypper-patches'],
    ...['zypper-versions', 'zypper-step'],
  ],
  simulation: (updates) =>
    new Map([
      ...['rpm-installed', 'rpm-installonly', 'zypper-repositories', 'zypper-lists', 'zypper-versions'].map(
        (name): [string, string] => [name, answer.get(name) ?? ''],
      ),
      ['rpm-asked', updates.map(({ name, arch, to }) => `${name},${arch},${to}\n`).join('')],
      ['zypper-step', summaryOf({ 'to-upgrade': updates })],
    ]),
  untouched: {
    'rpm-installed': answer.get('rpm-installed') ?? '',
    'rpm-installonly': answer.get('rpm-installonly') ?? '',
  },
};
