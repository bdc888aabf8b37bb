import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { flatpak } from '../../../src/managers/flatpak/flatpak.ts';
import { parseFrame } from '../../../src/remote/frame.ts';
import type { PackageManagerRig } from '../../contract/package-manager.ts';

/** Captured from flatpak 1.14.10 of Debian 12 with the remote of `test/lab/flatpak/remote.ts`, and a mask of org.lab.View*. */
export function captured(changes: Readonly<Record<string, string>> = {}): Map<string, string> {
  const file = join(import.meta.dirname, '../../fixtures/managers/flatpak/everything/answer');
  return new Map([...parseFrame(readFileSync(file)), ...Object.entries(changes)]);
}

/** Rows of a request as the scripts repeat them. */
export function asked(
  updates: readonly { readonly name: string; readonly arch: string; readonly to: string }[],
): string {
  return updates.map(({ name, arch, to }) => `${name},${arch},${/[0-9a-f]{12}/.exec(to)?.[0] ?? ''}\n`).join('');
}

const answer = captured();

/** @public The contract suite imports it by its path. */
export const rig: PackageManagerRig = {
  manager: flatpak,
  answer,
  essential: ['flatpak-installed', 'flatpak-installed-status', 'flatpak-pending', 'flatpak-remotes'],
  simulation: (updates) => captured({ 'flatpak-asked': asked(updates) }),
  untouched: {
    'flatpak-installed': answer.get('flatpak-installed') ?? '',
    'flatpak-installed-status': '0\n\n',
  },
};
