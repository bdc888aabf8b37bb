import type { InstalledPackage } from '../../domain/update.ts';
import type { WindowsUpdateRecord, WindowsUpdateScan } from './records.ts';
import { isDefinition, nameOf } from './selection.ts';

/** Updates that are in, and those that wait for a restart. Where the search failed, the history stands for it. */
export function installedUpdates(scan: WindowsUpdateScan): readonly InstalledPackage[] {
  const pending = scan.offered.filter((record) => record.isPending);
  const packages = new Map([...scan.installed, ...pending].map((record) => [record.id, installedOf(record)]));
  if (scan.isInstalledKnown) return [...packages.values()];
  const offered = new Set(scan.offered.filter((record) => !record.isPending).map((record) => record.id));
  for (const entry of scan.history) {
    const isIn = entry.operation === 'install' && entry.result === 'succeeded';
    if (!isIn || packages.has(entry.id) || offered.has(entry.id)) continue;
    const { name, id, revision } = entry;
    packages.set(id, packageOf({ name, id, revision, unattended: 'changes' }));
  }
  return [...packages.values()];
}

function installedOf(record: WindowsUpdateRecord): InstalledPackage {
  const { id, revision } = record;
  return packageOf({ name: nameOf(record), id, revision, unattended: isDefinition(record) ? 'changes' : 'leaves' });
}

function packageOf(item: {
  readonly name: string;
  readonly id: string;
  readonly revision: number;
  readonly unattended: 'leaves' | 'changes';
}): InstalledPackage {
  const { name, id, revision, unattended } = item;
  const version = String(revision);
  return {
    ...{ manager: 'windows-update', name, arch: id, version, state: 'installed' },
    ...{ source: 'windows-update', sourceVersion: version, unattended },
  };
}
