import { recordOf } from '../base/record.ts';
import { FettleError } from '../domain/error.ts';
import { apt } from './apt/apt.ts';
import type { Manager, Sections } from './contract/manager.ts';
import { windowsUpdate } from './windows-update/windows-update.ts';
import { firstLine, linesOf } from './contract/sections.ts';

/** Every package manager by name. */
export const managers: Readonly<Record<string, Manager>> = recordOf(
  [apt, windowsUpdate].map((item) => [item.name, item]),
);

export function managerNamed(name: string): Manager {
  const manager = managers[name];
  if (manager !== undefined) return manager;
  throw new FettleError('config', `this version knows no package manager "${name}"`, {
    hint: `it knows ${Object.keys(managers).join(', ')}`,
  });
}

/** The manager that the probe found. */
export function detectManager(sections: Sections): Manager {
  const name = firstLine(sections, 'manager') ?? 'none';
  const manager = managers[name];
  if (manager !== undefined) return manager;
  const os = linesOf(sections, 'os-release').find((line) => line.startsWith('PRETTY_NAME='));
  throw new FettleError('config', `no package manager is found on it${os === undefined ? '' : ` (${os.slice(12)})`}`, {
    hint: 'this version patches hosts with apt (Debian, Ubuntu) and with Windows Update',
  });
}
