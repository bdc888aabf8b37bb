import type { Diagnostic, Place } from '../yaml/diagnostic.ts';
import type { Variable, Variables } from './variables.ts';

/** A group while the sources are being read. */
export interface DraftGroup {
  readonly name: string;
  /** Child → where it is written. */
  readonly children: Map<string, Place | undefined>;
  readonly parents: Set<string>;
  readonly hosts: Set<string>;
  /** Low to high: a later source lies over an earlier one. */
  readonly layers: Variables[];
  priority: number;
}

export interface DraftHost {
  readonly name: string;
  readonly groups: Set<string>;
  readonly layers: Variables[];
}

/** What one line or key says of hosts. */
export interface HostEntry {
  readonly names: readonly string[];
  readonly port: Variable | undefined;
  readonly variables: Variables;
}

/** The content of the sources read so far; hosts and groups are in the order in which they were first read. */
export class InventoryDraft {
  readonly groups = new Map<string, DraftGroup>();
  readonly hosts = new Map<string, DraftHost>();

  constructor() {
    this.group('all');
    this.group('ungrouped');
  }

  group(name: string): DraftGroup {
    const known = this.groups.get(name);
    if (known !== undefined) return known;
    const made: DraftGroup = {
      name,
      children: new Map(),
      parents: new Set(),
      hosts: new Set(),
      layers: [],
      priority: 1,
    };
    this.groups.set(name, made);
    return made;
  }

  addChild(parent: string, child: string, place?: Place): void {
    this.group(parent).children.set(child, place);
    this.group(child).parents.add(parent);
  }

  /** Variables of a group, but for its priority. `layer` is read later than what is there already. */
  addGroupVariables(group: string, layer: Map<string, Variable>, diagnostics: Diagnostic[]): void {
    const priority = layer.get('ansible_group_priority');
    if (priority !== undefined) {
      layer.delete('ansible_group_priority');
      const value = Number(priority.value);
      if (Number.isInteger(value)) this.group(group).priority = value;
      else {
        const message = 'ansible_group_priority must be a whole number';
        diagnostics.push({ severity: 'error', ...priority.origin, message });
      }
    }
    this.group(group).layers.push(layer);
  }

  /** The hosts of one entry; a port holds only for a host that no entry before has named, as in Ansible. */
  addHosts(group: string, { names, port, variables }: HostEntry): void {
    for (const name of names) {
      const isNew = !this.hosts.has(name);
      const host = this.addHost(group, name);
      if (isNew && port !== undefined) host.layers.push(new Map([['ansible_port', port]]));
      if (variables.size > 0) host.layers.push(variables);
    }
  }

  addHost(group: string, name: string): DraftHost {
    const host = this.hosts.get(name) ?? { name, groups: new Set<string>(), layers: [] };
    this.hosts.set(name, host);
    host.groups.add(group);
    this.group(group).hosts.add(name);
    return host;
  }

  /** Gives every group a parent and every host a group, as Ansible does once all sources are read. */
  reconcile(): void {
    const ungrouped = this.group('ungrouped');
    for (const host of this.hosts.values()) {
      const others = [...host.groups].filter((name) => name !== 'all' && name !== 'ungrouped');
      if (others.length === 0) this.addHost('ungrouped', host.name);
      else if (host.groups.delete('ungrouped')) ungrouped.hosts.delete(host.name);
    }
    for (const group of this.groups.values()) {
      if (group.name !== 'all' && group.parents.size === 0) this.addChild('all', group.name);
    }
  }
}
