import { eventJsonSchema } from '../../config/plan/event-schema.ts';
import { inventoryJsonSchema } from '../../config/inventory/schema.ts';
import { planJsonSchema } from '../../config/plan/schema.ts';
import { playbookJsonSchema } from '../../config/playbook/schema.ts';
import { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';

const schemas: ReadonlyMap<string, () => unknown> = new Map([
  ['playbook', playbookJsonSchema],
  ['inventory', inventoryJsonSchema],
  ['plan', planJsonSchema],
  ['event', eventJsonSchema],
]);

export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const kind = invocation.arguments[0] ?? '';
  const schema = schemas.get(kind);
  if (schema === undefined) {
    throw new FettleError('usage', `no schema is called "${kind}"`, {
      hint: `one of ${[...schemas.keys()].join(', ')}`,
    });
  }
  context.console.printJson(schema());
  return 'ok';
}
