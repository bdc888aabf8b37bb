import type { ExitName } from '../../domain/exit.ts';
import type { Host } from '../../domain/host.ts';
import { watchHosts } from '../../engine/fleet/watch.ts';
import { isMissing } from '../../report/live/watch-state.ts';
import { openWatchView, renderWatch, watchJson, type WatchStyle } from '../../report/live/watch-view.ts';
import type { Context } from '../invocation/context.ts';
import type { HostsRequest, OutputRequest } from '../invocation/request.ts';
import { openConnections, readOnlyContext } from './connections.ts';
import { defaultConcurrency } from './read-only-run.ts';
import { show } from '../invocation/show.ts';
import { unrecorded } from './no-record.ts';

export interface WatchRequest extends HostsRequest {
  readonly intervalMs: number;
  /** Undefined: until Ctrl-C. */
  readonly forMs: number | undefined;
}

/** Under `--quiet` only who did not return is worth a line. */
function watchStyle({ json, jsonl, quiet }: OutputRequest): WatchStyle {
  if (json !== undefined) return 'none';
  if (jsonl) return 'jsonl';
  return quiet ? 'none' : 'lines';
}

/**
 * Pings hosts again and again until Ctrl-C or for the time of `--for`, then prints their states. A host that did not
 * return makes it exit `unreachable`; Ctrl-C is its ordinary end.
 */
export async function watch(hosts: readonly Host[], request: WatchRequest, context: Context): Promise<ExitName> {
  const { intervalMs, forMs, json, concurrency = defaultConcurrency } = request;
  const { interruptions, clock, output } = context;
  using _ = interruptions.takeCharge('watch');
  const over = new AbortController();
  const until = AbortSignal.any([interruptions.stop, interruptions.detach, over.signal]);
  const names = hosts.map((host) => host.name);
  const style = watchStyle(request);
  const view = openWatchView(names, output, style);
  try {
    // Each host keeps its connection between two queries where there is room for all.
    await using connections = await openConnections(hosts, request, { wanted: hosts.length }, context);
    const { atOnce: fitting } = connections;
    const remote = connections.remote(unrecorded);
    if (forMs !== undefined)
      void clock.sleep(forMs, until).then(
        () => over.abort(),
        () => undefined,
      );
    await watchHosts(hosts, {
      context: readOnlyContext({ run: context.newId(), record: unrecorded, sink: { event: () => undefined } }, context),
      remote,
      concurrency: Math.min(concurrency, fitting),
      keepsConnections: fitting >= hosts.length,
      intervalMs,
      until,
      onNews: (news) => view.record(news),
    });
  } finally {
    view[Symbol.dispose]();
  }
  const rows = view.rows();
  if (json !== undefined || (style === 'lines' && output.stdout.isTty)) {
    show({ rows, shape: watchJson, json, text: () => renderWatch(rows, output) }, context);
  }
  const missing = rows.filter(isMissing).map((row) => row.host);
  if (missing.length > 0) context.console.warn(`did not return: ${missing.join(', ')}`);
  const asked = interruptions.exitName();
  return asked === 'terminated' ? asked : missing.length > 0 ? 'unreachable' : 'ok';
}
