import type { Inventory } from '../../../config/inventory/inventory.ts';
import type { ExitName } from '../../../domain/exit.ts';
import { renderInventoryGraph, type GroupTree } from '../../../report/tables/inventory.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { openInventory } from '../../frame/selected-hosts.ts';

export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  const inventory = await openInventory(options, context);
  context.output.stdout.write(renderInventoryGraph(treeOf(inventory, 'all')));
  return 'ok';
}

function treeOf(inventory: Inventory, name: string): GroupTree {
  const group = inventory.groups.get(name);
  const children = [...(group?.children ?? [])].sort();
  return { name, groups: children.map((child) => treeOf(inventory, child)), hosts: group?.hosts ?? [] };
}
