import type { ExitName } from '../../domain/exit.ts';
import { chosenFields } from '../../report/text/json.ts';
import { hostScripts } from '../../remote/host-scripts.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';
import { readOutput, type OutputRequest } from '../invocation/request.ts';

export function read(invocation: Invocation): OutputRequest {
  return readOutput(invocation, ['fettle', 'node', 'scripts']);
}

/** The digests let an auditor compare what runs on hosts with what was reviewed. */
export async function run({ json }: OutputRequest, context: Context): Promise<ExitName> {
  const scripts = hostScripts();
  if (json !== undefined) {
    context.console.printJson(chosenFields({ fettle: context.version, node: context.nodeVersion, scripts }, json));
  } else {
    context.console.printLine(`fettle ${context.version} (Node.js ${context.nodeVersion})`);
    for (const { family, part, sha256 } of scripts) {
      context.console.printLine(`${family} ${part} sha256:${sha256}`);
    }
  }
  return 'ok';
}
