import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every lab that is up has a directory of its own in here. */
export const stateRoot = '/run/fettle-lab';

/** Where the controller's bridge answers inside a lab. */
export const controllerAddress = '10.77.0.1';

export const prefixLength = 16;

/** The password of the accounts `root` (su), `patch` and `guest` on every lab host. */
export const labPassword = 'Hollow-Anvil-41-lab';

/** What has been built and can be used again; `FETTLE_LAB_CACHE` moves it. */
export function cacheRoot(): string {
  return process.env['FETTLE_LAB_CACHE'] ?? '/var/cache/fettle-lab';
}

export interface LabPlaces {
  readonly name: string;
  readonly stateDir: string;
  /** Name of the network namespace of the controller and the bridge; those of the hosts begin with it and a dot. */
  readonly netns: string;
  readonly cgroup: string;
  readonly controlSocket: string;
  /** Process id and start time of who started the lab, and whether it stays. */
  readonly ownerFile: string;
  readonly specFile: string;
  readonly supervisorLog: string;
  readonly keyFile: string;
  /** What fettle is given; it keeps a host's old key when the host gets a new one. */
  readonly knownHostsFile: string;
  /** The keys that the hosts really have, for the lab's own ssh. */
  readonly trueKnownHostsFile: string;
  readonly inventoryFile: string;
  readonly homeDir: string;
  readonly ledgerFile: string;
  /** The published tree, /srv/repo on the hosts. */
  readonly repoDir: string;
}

/** @throws RangeError when the name does not fit into the names of namespaces and paths. */
export function placesOf(name: string): LabPlaces {
  if (!/^[a-z0-9][a-z0-9-]{0,23}$/.test(name)) {
    throw new RangeError(`a lab's name is up to 24 lower case letters, digits and dashes, not "${name}"`);
  }
  const stateDir = join(stateRoot, name);
  return {
    name,
    stateDir,
    netns: `fettle-lab.${name}`,
    cgroup: join(cgroupRoot(), 'fettle-lab', name),
    controlSocket: join(stateDir, 'control.sock'),
    ownerFile: join(stateDir, 'owner'),
    specFile: join(stateDir, 'lab.json'),
    supervisorLog: join(stateDir, 'supervisor.log'),
    keyFile: join(stateDir, 'id_ed25519'),
    knownHostsFile: join(stateDir, 'known_hosts'),
    trueKnownHostsFile: join(stateDir, 'known_hosts.true'),
    inventoryFile: join(stateDir, 'inventory.yaml'),
    homeDir: join(stateDir, 'home'),
    ledgerFile: join(stateDir, 'home', 'ledger.sqlite'),
    repoDir: join(stateDir, 'archive', 'public'),
  };
}

export function hostDirOf(places: LabPlaces, host: string): string {
  return join(places.stateDir, 'hosts', host);
}

export function hostNetnsOf(places: LabPlaces, host: string): string {
  return `${places.netns}.${host}`;
}

/** Where the unified control group hierarchy is mounted; empty where there is none. */
export function cgroupRoot(): string {
  if (!existsSync('/proc/mounts')) return '';
  const line = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .find((mount) => mount.split(' ')[2] === 'cgroup2');
  return line?.split(' ')[1] ?? '';
}

/** Addresses of hosts, counted from 0. */
export function addressOf(index: number): string {
  return `10.77.${1 + Math.floor(index / 200)}.${1 + (index % 200)}`;
}
