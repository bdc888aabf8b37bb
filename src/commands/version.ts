import type { ExitName } from '../domain/exit.ts';
import { jobScript, probeScript } from '../remote/scripts.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';

/** The digests let an auditor compare what runs on hosts with what was reviewed. */
export async function run({ options }: Invocation, context: Context): Promise<ExitName> {
  const scripts = [probeScript(), jobScript()].map(({ name, sha256 }) => ({ name, sha256 }));
  if (options.json !== undefined) {
    context.console.printJson({ fettle: context.version, node: context.nodeVersion, scripts });
  } else {
    context.console.printLine(`fettle ${context.version} (Node.js ${context.nodeVersion})`);
    for (const { name, sha256 } of scripts) context.console.printLine(`${name} script sha256:${sha256}`);
  }
  return 'ok';
}
