import type { Variables } from './variables.ts';

export interface InventoryHost {
  readonly name: string;
  /** Every group the host is in, `all` included, sorted. */
  readonly groups: readonly string[];
  /** Resolved by precedence; each value knows where it comes from. */
  readonly variables: Variables;
}

export interface InventoryGroup {
  readonly name: string;
  readonly children: readonly string[];
  readonly parents: readonly string[];
  /** Hosts written directly into the group. */
  readonly hosts: readonly string[];
}

/** Hosts and groups in the order of the sources. `all` and `ungrouped` always exist. */
export interface Inventory {
  readonly hosts: ReadonlyMap<string, InventoryHost>;
  readonly groups: ReadonlyMap<string, InventoryGroup>;
}
