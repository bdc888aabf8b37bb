import { suggestion } from '../../../config/yaml/suggestion.ts';
import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import { renderVariables, variablesJson } from '../../../report/tables/inventory.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { readOutput, readSelection, type OutputRequest, type SelectionRequest } from '../../invocation/request.ts';
import { openInventory } from '../../frame/selected-hosts.ts';
import { show } from '../../invocation/show.ts';

interface ShowRequest extends SelectionRequest, OutputRequest {
  readonly host: string;
  readonly origin: boolean;
}

export function read(invocation: Invocation, context: ReadContext): ShowRequest {
  const [host = ''] = invocation.arguments;
  const { origin = false } = invocation.options;
  return { ...readSelection(invocation, context), ...readOutput(invocation, variablesJson), host, origin };
}

/** One host with every variable after precedence; secrets stay hidden. */
export async function run(request: ShowRequest, context: Context): Promise<ExitName> {
  const { host: name, origin: withOrigin, json } = request;
  const inventory = await openInventory(request, context);
  const host = inventory.hosts.get(name);
  if (host === undefined) {
    const hint = suggestion(name, inventory.hosts.keys());
    throw new FettleError('usage', `the inventory has no host ${name}`, hint === undefined ? {} : { hint });
  }
  const rows = [...host.variables].map(([key, { value, origin }]) => ({ name: key, value, origin }));
  const { output } = context;
  const text = (): string => renderVariables(rows, { output, withOrigin });
  show({ rows, shape: variablesJson, json, text }, context);
  return 'ok';
}
