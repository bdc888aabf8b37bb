// Which value of a variable holds, as Ansible decides it.
import type { InventoryDraft } from './draft.ts';
import type { InventoryHost } from './model.ts';
import type { NeighbourVars } from './vars-files.ts';
import type { Variable, Variables } from './variables.ts';

export interface Layers {
  readonly draft: InventoryDraft;
  /** One a source, in the order of the sources. */
  readonly neighbours: readonly NeighbourVars[];
  readonly extra: Variables;
}

/** What hosts of the same groups share. */
interface Shared {
  readonly groups: readonly string[];
  /** Everything below the host's own variables. */
  readonly below: Variables;
  /** The same with the extra variables on top, for hosts without variables of their own. */
  readonly complete: Variables;
}

/**
 * Low to high: inline `all`, inline groups by (depth, ansible_group_priority, name), `group_vars/all`, `group_vars` of
 * the groups in the same order, the host's inline variables, `host_vars`, extra variables. Values replace each other
 * whole. Hosts that share everything share one map, so that ten thousand of a range cost little.
 */
export function resolveVariables(layers: Layers): ReadonlyMap<string, InventoryHost> {
  const order = groupOrder(layers.draft);
  const sharedBy = new Map<string, Shared>();
  const hosts = new Map<string, InventoryHost>();
  for (const host of layers.draft.hosts.values()) {
    const key = [...host.groups].sort().join('\0');
    const shared = sharedBy.get(key) ?? shareOf(layers, ancestors(layers.draft, host.groups), order);
    sharedBy.set(key, shared);
    const files = layers.neighbours.flatMap(({ hosts: byName }) => byName.get(host.name) ?? []);
    const own = [...host.layers, ...files];
    const variables = own.length === 0 ? shared.complete : overlay([shared.below, ...own, layers.extra]);
    hosts.set(host.name, { name: host.name, groups: shared.groups, variables });
  }
  return hosts;
}

function shareOf({ draft, neighbours, extra }: Layers, names: ReadonlySet<string>, order: readonly string[]): Shared {
  const groups = order.filter((name) => names.has(name) && name !== 'all');
  const inline = ['all', ...groups].flatMap((name) => draft.group(name).layers);
  const files = ['all', 'groups'].flatMap((stage) =>
    neighbours.flatMap(({ groups: byName }) =>
      (stage === 'all' ? ['all'] : groups).flatMap((name) => byName.get(name) ?? []),
    ),
  );
  const below = overlay([...inline, ...files]);
  return { groups: [...names].sort(), below, complete: overlay([below, extra]) };
}

function overlay(layers: readonly Variables[]): Variables {
  const merged = new Map<string, Variable>();
  for (const layer of layers) for (const [name, variable] of layer) merged.set(name, variable);
  return merged;
}

/** The groups and every group above them, `all` included. */
function ancestors(draft: InventoryDraft, direct: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>(['all']);
  const open = [...direct];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    open.push(...draft.group(name).parents);
  }
  return found;
}

/** All groups by (depth, priority, name); the depth is the longest way down from `all`. */
function groupOrder(draft: InventoryDraft): readonly string[] {
  const depths = new Map<string, number>();
  const depthOf = (name: string): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const depth = Math.max(-1, ...[...draft.group(name).parents].map(depthOf)) + 1;
    depths.set(name, depth);
    return depth;
  };
  const keyed = [...draft.groups.values()].map(({ name, priority }) => ({ name, priority, depth: depthOf(name) }));
  keyed.sort(
    (left, right) => left.depth - right.depth || left.priority - right.priority || compare(left.name, right.name),
  );
  return keyed.map(({ name }) => name);
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
