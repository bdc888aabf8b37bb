import { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';
import { fanOutExit } from '../../engine/fleet/exit.ts';
import { pingHosts, type PingResult } from '../../engine/fleet/ping.ts';
import { checkFields } from '../../report/text/json.ts';
import { openReporter } from '../../report/live/registry.ts';
import { pingJson, pingRow, renderPing, type PingRow } from '../../report/tables/scan.ts';
import { watchJson } from '../../report/live/watch-view.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';
import { checkDescriptors, fittingAtOnce, oneSession } from '../frame/descriptors.ts';
import { loadFleet } from '../frame/selected-hosts.ts';
import { defaultConcurrency } from '../frame/read-only-run.ts';
import { watch } from '../frame/ping-watch.ts';
import type { Options } from '../invocation/options.ts';
import { resolveRoutes, readOnlyContext, openCommandTransports, remoteOpener } from '../frame/connections.ts';
import { showResults } from '../invocation/show.ts';
import { unrecorded } from '../frame/no-record.ts';

/** Looks whether work would be possible; needs no ledger and records nothing. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { options } = invocation;
  refuseStray(options);
  checkFields(Object.keys((options.watch === true ? watchJson : pingJson).fields), options.json);
  const { hosts } = await loadFleet(invocation, context, invocation.arguments[0]);
  if (options.watch === true) return watch(hosts, options, context);
  using _ = context.interruptions.takeCharge('query');
  const results: PingResult[] = [];
  checkDescriptors(context);
  const reporter = await openReporter({ ...options, progress: 'none' }, context.output);
  await using transports = openCommandTransports(options, context);
  await resolveRoutes(hosts, transports);
  const wanted = options.concurrency ?? defaultConcurrency;
  const concurrency = await fittingAtOnce(wanted, { hosts, transports, use: oneSession }, context);
  await pingHosts(hosts, {
    context: readOnlyContext({ run: context.newId(), record: unrecorded, sink: reporter }, context),
    remote: remoteOpener(transports, context),
    concurrency,
    onResult: (result) => results.push(result),
  });
  const order = new Map(hosts.map((host, index) => [host.name, index]));
  results.sort((a, b) => (order.get(a.host.name) ?? 0) - (order.get(b.host.name) ?? 0));
  const rows = results.map(pingRow);
  const exitName =
    context.interruptions.exitName() ?? fanOutExit(results.map((result) => ('error' in result ? result : {})));
  const isWell = (row: PingRow): boolean => row.state === 'ok';
  const text = (shown: readonly PingRow[]): string => renderPing(shown, context.output);
  showResults({ rows, shape: pingJson, options, exitName, isWell, text }, context);
  return exitName;
}

function refuseStray(options: Partial<Options>): void {
  if (options.watch === true) return;
  const stray = (['for', 'interval', 'jsonl'] as const).find((name) => options[name] !== undefined);
  if (stray !== undefined) throw new FettleError('usage', `--${stray} is for --watch only`);
}
