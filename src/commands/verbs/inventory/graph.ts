import type { Inventory } from '../../../config/inventory/inventory.ts';
import type { ExitName } from '../../../domain/exit.ts';
import { renderInventoryGraph, type GroupTree } from '../../../report/tables/inventory.ts';
import type { Context } from '../../invocation/context.ts';
import { readSelection, type SelectionRequest } from '../../invocation/request.ts';
import { openInventory } from '../../frame/selected-hosts.ts';

export { readSelection as read };

export async function run(request: SelectionRequest, context: Context): Promise<ExitName> {
  const inventory = await openInventory(request, context);
  context.output.stdout.write(renderInventoryGraph(treeOf(inventory, 'all')));
  return 'ok';
}

function treeOf(inventory: Inventory, name: string): GroupTree {
  const group = inventory.groups.get(name);
  const children = [...(group?.children ?? [])].sort();
  // Every host is in another group too, be it `ungrouped`.
  const hosts = name === 'all' ? [] : (group?.hosts ?? []);
  return { name, groups: children.map((child) => treeOf(inventory, child)), hosts };
}
