import type { ExitName } from '../../../domain/exit.ts';
import { inventoryListJson, renderInventoryList } from '../../../report/tables/inventory.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { readOutput, readSelection, type OutputRequest, type SelectionRequest } from '../../invocation/request.ts';
import { loadFleet } from '../../frame/selected-hosts.ts';
import { show } from '../../invocation/show.ts';

interface ListRequest extends SelectionRequest, OutputRequest {
  readonly pattern: string;
}

export function read(invocation: Invocation, context: ReadContext): ListRequest {
  const [pattern = 'all'] = invocation.arguments;
  return { ...readSelection(invocation, context), ...readOutput(invocation, inventoryListJson), pattern };
}

export async function run(request: ListRequest, context: Context): Promise<ExitName> {
  const { pattern, json } = request;
  const { hosts } = await loadFleet(request, context, pattern);
  const rows = hosts.map(({ name, id, groups, connection: { address, port, user, transport } }) => ({
    host: name,
    hostId: id,
    groups,
    address,
    transport,
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
  }));
  show({ rows, shape: inventoryListJson, json, text: () => renderInventoryList(rows, context.output) }, context);
  return 'ok';
}
