import { recordOf } from '../base/record.ts';
import { FettleError } from '../domain/error.ts';
import { apk } from './apk/apk.ts';
import { apt } from './apt/apt.ts';
import { chocolatey } from './chocolatey/chocolatey.ts';
import type { Family } from './contract/family.ts';
import type { PackageManager } from './contract/package-manager.ts';
import { dnf } from './dnf/dnf.ts';
import { dnf5 } from './dnf5/dnf5.ts';
import { linux } from './family/linux.ts';
import { windows } from './family/windows.ts';
import { flatpak } from './flatpak/flatpak.ts';
import { pacman } from './pacman/pacman.ts';
import { snap } from './snap/snap.ts';
import { windowsUpdate } from './windows-update/windows-update.ts';
import { winget } from './winget/winget.ts';
import { zypper } from './zypper/zypper.ts';

/** Every package manager, in the order in which they install on one host: those of the system first. */
const packageManagers: readonly PackageManager[] = [
  apt,
  dnf,
  dnf5,
  zypper,
  pacman,
  apk,
  windowsUpdate,
  snap,
  flatpak,
  chocolatey,
  winget,
];

const byName = recordOf(packageManagers.map((item) => [item.name, item] as const));

/** Names of every package manager, in the order in which they install. */
export const packageManagerNames: readonly string[] = packageManagers.map((item) => item.name);

export function isPackageManager(name: string): boolean {
  return byName[name] !== undefined;
}

export function packageManagerNamed(name: string): PackageManager {
  const manager = byName[name];
  if (manager !== undefined) return manager;
  throw new FettleError('config', `this version knows no package manager "${name}"`, {
    hint: `it knows ${packageManagerNames.join(', ')}`,
  });
}

const families: Readonly<Record<string, Family>> = recordOf([linux, windows].map((item) => [item.name, item] as const));

/** The family that the host reports; undefined where this version knows none of that name. */
export function familyNamed(name: string): Family | undefined {
  return families[name];
}
