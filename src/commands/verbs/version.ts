import type { ExitName } from '../../domain/exit.ts';
import { hostScripts } from '../../remote/host-scripts.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';

/** The digests let an auditor compare what runs on hosts with what was reviewed. */
export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  const scripts = hostScripts();
  if (options.json !== undefined) {
    context.console.printJson({ fettle: context.version, node: context.nodeVersion, scripts });
  } else {
    context.console.printLine(`fettle ${context.version} (Node.js ${context.nodeVersion})`);
    for (const { family, name, verb, sha256 } of scripts) {
      context.console.printLine(`${family} ${name} ${verb} sha256:${sha256}`);
    }
  }
  return 'ok';
}
