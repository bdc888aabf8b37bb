import { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';
import { fanOutExit } from '../../engine/fleet/exit.ts';
import { pingHosts, type PingResult } from '../../engine/fleet/ping.ts';
import { openReporter } from '../../report/live/registry.ts';
import { pingJson, pingRow, renderPing, type PingRow } from '../../report/tables/scan.ts';
import { watchJson } from '../../report/live/watch-view.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import { readHosts } from '../invocation/request.ts';
import { loadFleet } from '../frame/selected-hosts.ts';
import { defaultConcurrency } from '../frame/read-only-run.ts';
import { watch, type WatchRequest } from '../frame/ping-watch.ts';
import { openConnections, readOnlyContext } from '../frame/connections.ts';
import { showHosts } from '../frame/host-results.ts';
import { readDuration } from '../invocation/times.ts';
import { unrecorded } from '../frame/no-record.ts';

const defaultIntervalMs = 5_000;

interface PingRequest extends WatchRequest {
  readonly pattern: string;
  readonly watch: boolean;
}

export function read(invocation: Invocation, context: ReadContext): PingRequest {
  const [pattern = 'all'] = invocation.arguments;
  const { options } = invocation;
  const isWatch = options.watch ?? false;
  const stray = (['for', 'interval', 'jsonl'] as const).find((name) => options[name] !== undefined);
  if (!isWatch && stray !== undefined) {
    throw new FettleError('usage', `--${stray} is for --watch only`, { hint: `add --watch, or leave --${stray} out` });
  }
  const intervalMs = readDuration(options.interval, '--interval') ?? defaultIntervalMs;
  if (intervalMs === 0) {
    throw new FettleError('usage', '--interval must be longer than 0', { hint: 'write it like 5s or 1m' });
  }
  return {
    ...readHosts(invocation, context, isWatch ? watchJson : pingJson),
    pattern,
    watch: isWatch,
    intervalMs,
    forMs: readDuration(options.for, '--for'),
  };
}

/** Checks that each host can be worked on; needs no ledger and records nothing. */
export async function run(request: PingRequest, context: Context): Promise<ExitName> {
  const { hosts } = await loadFleet(request, context, request.pattern);
  if (request.watch) return watch(hosts, request, context);
  using _ = context.interruptions.takeCharge('query');
  const results: PingResult[] = [];
  const reporter = await openReporter({ ...request, progress: 'none' }, context.output);
  const wanted = request.concurrency ?? defaultConcurrency;
  await using connections = await openConnections(hosts, request, { wanted }, context);
  await pingHosts(hosts, {
    context: readOnlyContext({ run: context.newId(), record: unrecorded, sink: reporter }, context),
    remote: connections.remote(unrecorded),
    concurrency: connections.atOnce,
    onResult: (result) => results.push(result),
  });
  const reached = fanOutExit(results.map((result) => ('error' in result ? result : {})));
  const exitName = context.interruptions.exitName() ?? reached;
  const rows = results.map(pingRow);
  showHosts({ hosts, rows, request, exitName, shape: pingJson, isWell, render: renderPing }, context);
  return exitName;
}

function isWell({ state }: PingRow): boolean {
  return state === 'ok';
}
