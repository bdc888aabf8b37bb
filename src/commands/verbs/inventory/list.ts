import type { ExitName } from '../../../domain/exit.ts';
import { inventoryListJson, renderInventoryList } from '../../../report/tables/inventory.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { loadFleet } from '../../frame/selected-hosts.ts';
import { show } from '../../invocation/show.ts';

export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { hosts } = await loadFleet(invocation, context, invocation.arguments[0]);
  const rows = hosts.map(({ name, id, groups, connection: { address, port, user, transport } }) => ({
    host: name,
    hostId: id,
    groups,
    address,
    transport,
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
  }));
  const { json } = invocation.options;
  show({ rows, shape: inventoryListJson, json, text: () => renderInventoryList(rows, context.output) }, context);
  return 'ok';
}
