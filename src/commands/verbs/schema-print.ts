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

interface SchemaRequest {
  readonly schema: () => unknown;
}

export function read({ arguments: [kind = ''] }: Invocation): SchemaRequest {
  const schema = schemas.get(kind);
  if (schema !== undefined) return { schema };
  throw new FettleError('usage', `there is no schema called "${kind}"`, {
    hint: `one of ${[...schemas.keys()].join(', ')}`,
  });
}

export async function run({ schema }: SchemaRequest, context: Context): Promise<ExitName> {
  context.console.printJson(schema());
  return 'ok';
}
