import { suggestion } from '../../../config/yaml/suggestion.ts';
import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import { renderVariables, variablesJson } from '../../../report/tables/inventory.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { openInventory } from '../../frame/selected-hosts.ts';
import { show } from '../../invocation/show.ts';

/** One host with every variable after precedence; secrets stay hidden. */
export async function run({ arguments: given, options }: Invocation, context: Context): Promise<ExitName> {
  const name = given[0] ?? '';
  const inventory = await openInventory(options, context);
  const host = inventory.hosts.get(name);
  if (host === undefined) {
    const hint = suggestion(name, inventory.hosts.keys());
    throw new FettleError('usage', `the inventory has no host ${name}`, hint === undefined ? {} : { hint });
  }
  const rows = [...host.variables].map(([key, { value, origin }]) => ({ name: key, value, origin }));
  const { output } = context;
  const text = (): string => renderVariables(rows, { output, withOrigin: options.origin ?? false });
  show({ rows, shape: variablesJson, json: options.json, text }, context);
  return 'ok';
}
