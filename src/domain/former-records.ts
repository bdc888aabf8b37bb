// What releases up to 0.1 recorded, in today's shapes: one package manager for each host, and dpkg's words for states.
import { stateOfDpkg } from './dpkg-status.ts';
import type { Adjustment } from './drift.ts';
import type { UpdateResult } from './outcome.ts';
import type { HostScan } from './scan.ts';
import { packageKey, type InstalledPackage, type PackageId } from './update.ts';

interface FormerPackage {
  readonly manager?: string;
  readonly name: string;
  readonly arch: string;
}

/** The package manager stood in the architecture, or was that of the whole host: `ofHost`, where it is known. */
export function withManager<Item extends FormerPackage>(item: Item, ofHost?: string): Item & PackageId {
  const { manager, arch } = item;
  if (manager !== undefined) return { ...item, manager };
  if (arch === 'chocolatey' || arch === 'winget') return { ...item, manager: arch, arch: '' };
  if (ofHost !== undefined) return { ...item, manager: ofHost };
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(arch)) return { ...item, manager: 'windows-update' };
  return { ...item, manager: ['system', 'hotfix', 'x64', 'x86'].includes(arch) ? 'programs' : 'apt' };
}

type FormerInstalled = Omit<InstalledPackage, 'manager' | 'state'> & {
  readonly manager?: string;
  readonly state?: InstalledPackage['state'];
  /** dpkg's status abbreviation. */
  readonly status?: string;
};

export function currentPackage(item: FormerInstalled): InstalledPackage {
  const { status, state, ...rest } = withManager(item);
  if (state !== undefined || status === undefined) return { ...rest, state: state ?? 'installed' };
  return { ...rest, ...stateOfDpkg(status.trim()) };
}

export type FormerScan = Omit<HostScan, 'managers' | 'packages' | 'broken' | 'updates' | 'newPackages' | 'metadata'> & {
  readonly manager?: string;
  readonly managers?: readonly string[];
  readonly packages: readonly FormerInstalled[];
  readonly broken: readonly FormerInstalled[];
  readonly updates: readonly (Omit<HostScan['updates'][number], 'manager'> & FormerPackage)[];
  readonly newPackages?: readonly (Omit<NonNullable<HostScan['newPackages']>[number], 'manager'> & FormerPackage)[];
  readonly metadata: Omit<HostScan['metadata'], 'repositories'> & {
    readonly repositories: readonly (Omit<HostScan['metadata']['repositories'][number], 'manager'> & {
      readonly manager?: string;
    })[];
  };
};

export function currentScan(scan: FormerScan): HostScan {
  const { manager = '', managers = [manager], newPackages, metadata, ...rest } = scan;
  return {
    ...rest,
    managers,
    packages: scan.packages.map(currentPackage),
    broken: scan.broken.map(currentPackage),
    updates: scan.updates.map((item) => withManager(item, scan.manager)),
    ...(newPackages === undefined ? {} : { newPackages: newPackages.map((item) => withManager(item, scan.manager)) }),
    metadata: { ...metadata, repositories: metadata.repositories.map((item) => ({ manager, ...item })) },
  };
}

export function currentResults(results: readonly UpdateResult[]): readonly UpdateResult[] {
  return results.map((item) => withManager(item));
}

export function currentAdjustment({ superseded, skipped }: Adjustment): Adjustment {
  return {
    superseded: superseded.map((pair) => ({
      planned: withManager(pair.planned),
      successor: withManager(pair.successor),
    })),
    // A key of today has its package manager in front.
    skipped: skipped.map((key) => (key.includes('/') ? key : keyOfLabel(key))),
  };
}

/** `name:arch`. */
function keyOfLabel(label: string): string {
  const at = label.lastIndexOf(':');
  return packageKey(withManager({ name: label.slice(0, at), arch: label.slice(at + 1) }));
}

/** A plan of format version 1 in the shape of version 2; what is no such plan is returned as it is. */
export function currentPlan(raw: unknown): unknown {
  if (!isObject(raw) || raw['version'] !== 1 || !Array.isArray(raw['hosts'])) return raw;
  return { ...raw, version: 2, hosts: raw['hosts'].map(currentHostPlan) };
}

type RawObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is RawObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function currentHostPlan(raw: unknown): unknown {
  if (!isObject(raw)) return raw;
  const { manager, ...rest } = raw;
  const lists = Object.fromEntries(
    ['updates', 'removals', 'leftOut'].flatMap((key) => {
      const items: unknown = raw[key];
      return Array.isArray(items)
        ? [[key, items.map((item: unknown) => (isFormerPackage(item) ? withManager(item) : item))]]
        : [];
    }),
  );
  const updates: unknown = lists['updates'];
  const working = new Set(
    Array.isArray(updates) ? updates.flatMap((item: unknown) => (isObject(item) ? [item['manager']] : [])) : [],
  );
  const others = [...working].filter((name) => name !== manager);
  const isNamed = typeof manager === 'string' && manager !== '';
  return {
    ...rest,
    ...lists,
    managers: [...(isNamed ? [manager] : []), ...others],
    steps: [
      ...(isNamed && working.has(manager) ? [{ manager, afterFailure: 'stop' }] : []),
      ...others.map((name) => ({ manager: name, afterFailure: 'continue' })),
    ],
  };
}

function isFormerPackage(item: unknown): item is FormerPackage {
  return isObject(item) && typeof item['name'] === 'string' && typeof item['arch'] === 'string';
}
