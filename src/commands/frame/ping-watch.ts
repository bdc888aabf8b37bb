import type { ExitName } from '../../domain/exit.ts';
import { FettleError } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import { watchHosts } from '../../engine/fleet/watch.ts';
import { isMissing } from '../../report/live/watch-state.ts';
import { openWatchView, renderWatch, watchJson, type WatchStyle } from '../../report/live/watch-view.ts';
import type { Context } from '../invocation/context.ts';
import { checkDescriptors, fittingAtOnce, oneSession } from './descriptors.ts';
import { defaultConcurrency } from './read-only-run.ts';
import type { Options } from '../invocation/options.ts';
import { resolveRoutes, readOnlyContext, openCommandTransports, remoteOpener } from './connections.ts';
import { readDuration } from '../invocation/times.ts';
import { show } from '../invocation/show.ts';
import { unrecorded } from './no-record.ts';

const defaultIntervalMs = 5_000;

/** Under `--quiet` only who did not return is worth a line. */
function watchStyle({ json, jsonl, quiet }: Partial<Options>): WatchStyle {
  if (json !== undefined) return 'none';
  if (jsonl === true) return 'jsonl';
  return quiet === true ? 'none' : 'lines';
}

/**
 * Watches hosts until Ctrl-C, or as long as `--for` says, then tells how they stand. A host that did not return makes it
 * exit `unreachable`; Ctrl-C is its ordinary end.
 */
export async function watch(hosts: readonly Host[], options: Partial<Options>, context: Context): Promise<ExitName> {
  const intervalMs = readDuration(options.interval, '--interval') ?? defaultIntervalMs;
  const forMs = readDuration(options.for, '--for');
  if (intervalMs === 0) throw new FettleError('usage', '--interval must be longer than nothing');
  const { interruptions, clock, output } = context;
  using _ = interruptions.takeCharge('watch');
  const over = new AbortController();
  const until = AbortSignal.any([interruptions.stop, interruptions.detach, over.signal]);
  checkDescriptors(context);
  const names = hosts.map((host) => host.name);
  const style = watchStyle(options);
  const view = openWatchView(names, output, style);
  try {
    await using transports = openCommandTransports(options, context);
    await resolveRoutes(hosts, transports);
    // Each host keeps its connection between two questions where there is room for all.
    const fitting = await fittingAtOnce(hosts.length, { hosts, transports, use: oneSession }, context);
    if (forMs !== undefined)
      void clock.sleep(forMs, until).then(
        () => over.abort(),
        () => undefined,
      );
    await watchHosts(hosts, {
      context: readOnlyContext({ run: context.newId(), record: unrecorded, sink: { event: () => undefined } }, context),
      remote: remoteOpener(transports, context),
      concurrency: Math.min(options.concurrency ?? defaultConcurrency, fitting),
      keepsConnections: fitting >= hosts.length,
      intervalMs,
      until,
      onNews: (news) => view.look(news),
    });
  } finally {
    view[Symbol.dispose]();
  }
  const rows = view.rows();
  if (options.json !== undefined || (style === 'lines' && output.stdout.isTty)) {
    show({ rows, shape: watchJson, json: options.json, text: () => renderWatch(rows, output) }, context);
  }
  const missing = rows.filter(isMissing).map((row) => row.host);
  if (missing.length > 0) context.console.warn(`did not return: ${missing.join(', ')}`);
  const asked = interruptions.exitName();
  return asked === 'terminated' ? asked : missing.length > 0 ? 'unreachable' : 'ok';
}
