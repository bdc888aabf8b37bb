// A thousand hosts and what is on them week by week, as far as a ledger would record it.
import { createHash } from 'node:crypto';
import type { HostFacts, HostScan } from '../../src/domain/scan.ts';
import type { InstalledPackage, Update } from '../../src/domain/update.ts';
import { installed, makePackages, pending, type PackageShape } from './packages.ts';
import { seededRandom } from './random.ts';

export interface ModelHost {
  readonly name: string;
  readonly role: number;
  /** A package of its own, so that its package list is shared with no other host. */
  readonly hasOwnPackage: boolean;
  /** One package is on hold for ever. */
  readonly hasHold: boolean;
  readonly hasHooks: boolean;
  readonly machineId: string;
  /** The week up to whose releases it is patched. */
  level: number;
  kernel: number;
  boots: number;
}

const roles = 20;
const sharedPackages = 260;
const rolePackages = 140;
const services = Array.from({ length: 24 }, (_, at) => `service-${at}.service`);
const listeners = Array.from({ length: 6 }, (_, at) => `tcp 0.0.0.0:${9_000 + at} service-${at}`);

export class FleetModel {
  readonly hosts: readonly ModelHost[];
  readonly #byRole: readonly (readonly PackageShape[])[];
  readonly #lists = new Map<string, readonly InstalledPackage[]>();
  readonly #pending = new Map<string, readonly Update[]>();

  constructor(size: number, weeks: number) {
    const shapes = makePackages(weeks);
    const random = seededRandom(2);
    this.#byRole = Array.from({ length: roles }, () => [
      ...shapes.slice(0, sharedPackages),
      ...Array.from(
        { length: rolePackages },
        () => sharedPackages + Math.floor(random() * (shapes.length - sharedPackages)),
      )
        .filter((at, index, all) => all.indexOf(at) === index)
        .flatMap((at) => shapes[at] ?? []),
    ]);
    this.hosts = Array.from({ length: size }, (_, at) => makeHost(at));
  }

  /** Everything that a newer release than the host's level would bring, held back or not. */
  updates(host: ModelHost, week: number): readonly Update[] {
    const key = `${host.role} ${host.level} ${week}`;
    let updates = this.#pending.get(key);
    if (updates === undefined) {
      updates = pending(this.#byRole[host.role] ?? [], host.level, week);
      this.#pending.set(key, updates);
    }
    return host.hasHold ? [...updates, heldUpdate] : updates;
  }

  packages(host: ModelHost): readonly InstalledPackage[] {
    const key = `${host.role} ${host.level}`;
    let list = this.#lists.get(key);
    if (list === undefined) {
      list = (this.#byRole[host.role] ?? []).map((shape) => installed(shape, host.level));
      this.#lists.set(key, list);
    }
    if (!host.hasOwnPackage) return list;
    const name = `site-${host.name}`;
    return [
      ...list,
      { manager: 'apt', name, arch: 'all', version: '1', state: 'installed', source: name, sourceVersion: '1' },
    ];
  }

  scan(host: ModelHost, week: number, atMs: number): HostScan {
    const packages = this.packages(host);
    const kernel = `6.1.0-${31 + host.kernel}-amd64`;
    const newest = `6.1.0-${31 + Math.floor(host.level / 4)}-amd64`;
    const isWaiting = kernel !== newest;
    const [collectedMs, fetchedMs] = [atMs, atMs - 3_600_000];
    return {
      collectedMs,
      managers: ['apt'],
      facts: factsOf(host, kernel, atMs),
      privileges: { user: 'root', isRoot: true },
      packages,
      autoInstalled: packages.filter((_, at) => at % 3 === 1).map(({ name, arch }) => `${name}:${arch}`),
      updates: this.updates(host, week),
      newPackages: [],
      securityKnown: true,
      metadata: {
        fetchedMs,
        isStale: false,
        repositories: ['Debian-Security bookworm-security', 'Debian bookworm-updates', 'Debian bookworm'].map(
          (name) => ({
            manager: 'apt',
            name,
            fetchedMs,
            releasedMs: fetchedMs - 7_200_000,
          }),
        ),
      },
      reboot: {
        needed: isWaiting ? 'yes' : 'no',
        reasons: isWaiting
          ? [`asked for by linux-image-${newest}`, `kernel ${newest} is installed, ${kernel} runs`]
          : [],
        runningKernel: kernel,
        installedKernel: newest,
      },
      health: { activeServices: services, failedUnits: [], listeners, staleKnown: true, staleProcesses: [] },
      disks: [{ mount: '/', freeBytes: 9_000_000_000 - week * 4_096_000 - host.boots, freeInodes: 3_085_480 - week }],
      running: [],
      broken: [],
      conffileLeftovers: [],
      problems: [],
    };
  }
}

const heldUpdate: Update = {
  manager: 'apt',
  name: 'fettle-held',
  arch: 'all',
  from: '1.0-1',
  to: '2.0-1',
  origins: ['Debian:12.11/oldstable-updates'],
  class: 'other',
  heldBack: { kind: 'held' },
  isKernel: false,
};

function makeHost(at: number): ModelHost {
  const name = `web${String(at + 1).padStart(4, '0')}`;
  return {
    name,
    role: at % roles,
    hasOwnPackage: at % 4 === 0,
    hasHold: at % 20 === 7,
    hasHooks: at % 2 === 0,
    machineId: createHash('sha256').update(name).digest('hex').slice(0, 32),
    level: 0,
    kernel: 0,
    boots: 0,
  };
}

/** As long and as unlike each other as the kernel's own. */
export function bootIdOf(host: ModelHost): string {
  const hex = createHash('sha256').update(`${host.name} ${host.boots}`).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

function factsOf(host: ModelHost, kernel: string, atMs: number): HostFacts {
  return {
    machineId: host.machineId,
    bootId: bootIdOf(host),
    hostName: host.name,
    family: 'linux',
    osId: 'debian',
    osVersion: '12',
    osName: 'Debian GNU/Linux 12 (bookworm)',
    kernel,
    arch: 'x86_64',
    init: 'systemd',
    virtualization: 'kvm',
    isContainer: false,
    uptimeSec: Math.floor(atMs / 1000) % 2_000_000,
    clockSkewMs: (atMs % 700) - 350,
  };
}
