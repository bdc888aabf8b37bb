import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import type { Flavour } from './base.ts';
import type { Profile } from './layer.ts';
import { addressOf, labPassword } from './places.ts';
import type { LabPlaces } from './places.ts';
import type { HostSpec } from './spec.ts';

/** What a test says about a host; what it leaves out is ordinary. */
export interface HostOptions {
  readonly name: string;
  /** `plain` (no systemd) unless told otherwise. */
  readonly flavour?: Flavour;
  /** Names out of the catalogue; the host starts with their old versions installed. */
  readonly packages?: readonly string[];
  /** Whether the account `patch` gives a password for sudo (`labPassword`); `nopasswd` unless told otherwise. */
  readonly sudo?: 'nopasswd' | 'password';
  readonly diskMib?: number;
  readonly uptimeSec?: number;
  /** 32 hexadecimal digits; two hosts with the same one are clones. */
  readonly machineId?: string;
  readonly metadataAgeMs?: number;
  /** More files of the host, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Groups of the inventory. */
  readonly groups?: readonly string[];
  /** More variables of the inventory. */
  readonly vars?: Readonly<Record<string, unknown>>;
}

export interface LabOptions {
  /** Labs of different names do not meet; lower case letters, digits, dashes. */
  readonly name: string;
  readonly hosts: readonly HostOptions[];
  /** Variables of all hosts in the inventory. */
  readonly vars?: Readonly<Record<string, unknown>>;
}

export function profileOf(host: HostOptions): Profile {
  return { flavour: host.flavour ?? 'plain', packages: host.packages ?? [] };
}

/** Resolves what a test says about a host. @throws RangeError on a name that cannot be a host's. */
export function hostSpecOf(options: HostOptions, index: number, layers: readonly string[]): HostSpec {
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(options.name)) throw new RangeError(`no name for a host: "${options.name}"`);
  return {
    name: options.name,
    index,
    address: addressOf(index),
    flavour: options.flavour ?? 'plain',
    layers,
    machineId: options.machineId ?? createHash('md5').update(`lab machine ${options.name}`).digest('hex'),
    uptimeSec: options.uptimeSec ?? 3 * 86_400 + index * 3_600,
    diskMib: options.diskMib ?? 1_024,
    sudo: options.sudo ?? 'nopasswd',
    metadataAgeMs: options.metadataAgeMs ?? 0,
    files: options.files ?? {},
  };
}

/** The YAML inventory that reaches every host as `patch`, with sudo. */
export function inventoryOf(places: LabPlaces, options: LabOptions): string {
  const hosts = Object.fromEntries(options.hosts.map((host, index) => [host.name, variablesOf(host, index)]));
  const groups = new Map<string, Record<string, null>>();
  for (const host of options.hosts) {
    for (const group of host.groups ?? []) groups.set(group, { ...groups.get(group), [host.name]: null });
  }
  const children = Object.fromEntries([...groups].map(([name, members]) => [name, { hosts: members }]));
  const vars = {
    ansible_user: 'patch',
    ansible_ssh_private_key_file: places.keyFile,
    ansible_ssh_common_args: `-o UserKnownHostsFile=${places.knownHostsFile} -o GlobalKnownHostsFile=/dev/null`,
    ansible_become: true,
    ...options.vars,
  };
  return stringify({ all: { vars, hosts, ...(groups.size === 0 ? {} : { children }) } });
}

function variablesOf(host: HostOptions, index: number): Record<string, unknown> {
  const password = host.sudo === 'password' ? { ansible_become_password: labPassword } : {};
  return { ansible_host: addressOf(index), ...password, ...host.vars };
}
