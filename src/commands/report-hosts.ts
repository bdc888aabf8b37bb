import { FettleError } from '../domain/error.ts';
import type { ExitName } from '../domain/exit.ts';
import { hostsJson, packagesJson } from '../report/ledger-json.ts';
import { renderHosts, renderPackages } from '../report/ledger-tables.ts';
import { readAsOf } from './as-of.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { openToRead } from './record.ts';
import { show } from './show.ts';

/** Every host with its facts; with a host, what was installed on it. */
export async function run({ arguments: given, options }: Invocation, context: Context): Promise<ExitName> {
  const asOfMs = readAsOf(options, context);
  await using ledger = await openToRead(options, context);
  const { output } = context;
  const [host] = given;
  if (host === undefined) {
    const rows = await ledger.hosts(asOfMs);
    show(
      { rows, shape: hostsJson, json: options.json, text: () => renderHosts(rows, { output, nowMs: asOfMs }) },
      context,
    );
    return 'ok';
  }
  const found = await ledger.packagesAt(host, asOfMs);
  if (found === undefined) {
    throw new FettleError('usage', `the ledger has no scan of ${host} from before that time`, {
      hint: 'list its hosts with: fettle report hosts',
    });
  }
  const rows = found.packages;
  show({ rows, shape: packagesJson, json: options.json, text: () => renderPackages(rows, output) }, context);
  return 'ok';
}
