import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { apt } from '../../../src/managers/apt/apt.ts';
import type { Sections } from '../../../src/managers/contract/sections.ts';
import { parseFrame } from '../../../src/remote/frame.ts';
import type { PackageManagerRig } from '../../contract/package-manager.ts';

const answer: Sections = parseFrame(
  readFileSync(join(import.meta.dirname, '../../fixtures/managers/apt/everything/answer')),
);

/** @public The contract suite imports it by its path. */
export const rig: PackageManagerRig = {
  manager: apt,
  answer,
  essential: ['apt-installed', 'apt-normal', 'apt-security'],
  // What apt-get prints where everything goes in.
  simulation: (updates) => {
    const lines = updates.map(({ name, arch, from, to }) => `Inst ${name} [${from}] (${to} Debian:12 [${arch}])`);
    const asked = (answer.get('apt-installed') ?? '')
      .split('\n')
      .filter((line) => updates.some(({ name }) => line.startsWith(`${name}\t`)));
    return new Map([
      ['apt-asked', asked.join('\n')],
      ['apt-architecture', 'amd64'],
      ['apt-pinned', `${lines.join('\n')}\nrc 0\n`],
    ]);
  },
  untouched: { 'apt-installed': answer.get('apt-installed') ?? '' },
};
