import { inventoryJsonSchema } from '../config/inventory-schema.ts';
import { playbookJsonSchema } from '../config/playbook-schema.ts';
import { FettleError } from '../domain/error.ts';
import type { ExitName } from '../domain/exit.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';

const schemas: Readonly<Record<string, () => unknown>> = {
  playbook: playbookJsonSchema,
  inventory: inventoryJsonSchema,
};

export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const kind = invocation.arguments[0] ?? '';
  const schema = schemas[kind];
  if (schema === undefined) {
    throw new FettleError('usage', `no schema is called "${kind}"`, {
      hint: `one of ${Object.keys(schemas).join(', ')}`,
    });
  }
  context.console.printJson(schema());
  return 'ok';
}
