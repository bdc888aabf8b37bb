import { formatDiagnostic } from '../../../config/yaml/diagnostic.ts';
import { loadInventory } from '../../../config/inventory/inventory.ts';
import { resolveHosts } from '../../../config/host/host-settings.ts';
import { plural } from '../../../base/text.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { Context } from '../../invocation/context.ts';
import { readSelection, type SelectionRequest } from '../../invocation/request.ts';
import { inventorySources } from '../../frame/selected-hosts.ts';

export { readSelection as read };

/** Everything that is not recognised, for every host; exit 2 when something is an error. */
export async function run(request: SelectionRequest, context: Context): Promise<ExitName> {
  const sources = await inventorySources(request, context);
  const loaded = await loadInventory({ sources, extraVars: request.extraVars });
  const names = [...loaded.inventory.hosts.keys()];
  const resolved = resolveHosts(loaded.inventory, names, {
    homeDir: context.homeDir,
    connects: false,
  });
  const diagnostics = [...loaded.diagnostics, ...resolved.diagnostics];
  for (const diagnostic of diagnostics) context.console.printLine(formatDiagnostic(diagnostic));
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const counts = [
    plural(names.length, 'host'),
    plural(errors, 'error'),
    plural(diagnostics.length - errors, 'warning'),
  ];
  context.console.message(counts.join(', '));
  return errors > 0 ? 'usage' : 'ok';
}
