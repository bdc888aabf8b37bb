import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { apk } from '../../../src/managers/apk/apk.ts';
import type { Sections } from '../../../src/managers/contract/sections.ts';
import { parseFrame } from '../../../src/remote/frame.ts';
import type { PackageManagerRig } from '../../contract/package-manager.ts';

/** Written in the form of what apk 2.14.9 printed in a root with packages made for the purpose; no host answered so. */
export function written(name: string): Map<string, string> {
  return new Map(parseFrame(readFileSync(join(import.meta.dirname, `../../fixtures/managers/apk/${name}/answer`))));
}

const answer: Sections = written('everything');

/** @public The contract suite imports it by its path. */
export const rig: PackageManagerRig = {
  manager: apk,
  answer,
  essential: ['apk-installed', 'apk-upgradable', 'apk-steps'],
  // What the host answers where everything goes in.
  simulation: (updates) =>
    new Map([
      ...['apk-installed', 'apk-upgradable'].map((name): [string, string] => [name, answer.get(name) ?? '']),
      ['apk-asked', updates.map(({ name, arch, to }) => `${name},${arch},${to}\n`).join('')],
      [
        'apk-steps',
        [
          ...updates.map(({ name, from, to }, at) => `(${at + 1}/9) Upgrading ${name} (${from} -> ${to})`),
          'rc 0',
          '',
        ].join('\n'),
      ],
    ]),
  untouched: { 'apk-installed': answer.get('apk-installed') ?? '' },
};
