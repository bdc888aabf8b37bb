import pLimit from 'p-limit';
import { Slots } from '../../base/slots.ts';
import type { FettleError } from '../../domain/error.ts';
import { asFettleError, toErrorRecord } from '../../domain/error.ts';
import type { RunEvent } from '../../domain/event.ts';
import type { Host } from '../../domain/host.ts';
import type { HostScan } from '../../domain/scan.ts';
import { verdictOfError } from '../../domain/outcome.ts';
import { emit } from '../context.ts';
import type { RunContext } from '../context.ts';
import type { HostPort } from '../connection/host-port.ts';

export type ScanResult =
  { readonly host: Host; readonly scan: HostScan } | { readonly host: Host; readonly error: FettleError };

export interface FanOut {
  readonly context: RunContext;
  /** A connection of its own for each host, closed when the host is over. */
  readonly remote: (host: Host) => HostPort;
  /** Hosts at once. */
  readonly concurrency: number;
}

export interface ScanFleet extends FanOut {
  /** Metadata older than this is stale. */
  readonly maxAgeMs: number;
  /** Called for each host as it settles; what it does not keep is not kept. */
  readonly onResult: (result: ScanResult) => void | Promise<void>;
}

/** A scan takes many times the memory of the answer it was read from, and hosts answer faster than a ledger writes. */
const unrecordedAtOnce = 16;

/** Looks at every host, some at once, records each scan as it comes and keeps none. Only ledger errors are thrown. */
export async function scanHosts(hosts: readonly Host[], fleet: ScanFleet): Promise<void> {
  const unrecorded = new Slots(unrecordedAtOnce);
  await forEachHost(hosts, fleet, async (host) => {
    await fleet.onResult(await scanAndRecord(host, fleet, unrecorded));
  });
}

/** The answer of the host waits as the bytes that came until there is room to read and record it. */
async function scanAndRecord(host: Host, fleet: ScanFleet, unrecorded: Slots): Promise<ScanResult> {
  const { context, maxAgeMs } = fleet;
  using place = new DisposableStack();
  const beforeReading = async (): Promise<void> => void place.use(await unrecorded.take(context.detach));
  try {
    context.stop.throwIfAborted();
    await using remote = fleet.remote(host);
    const scan = await remote.scan({ maxAgeMs, signal: context.detach, beforeReading });
    await emit(context, [scanned(context, host, scan)]);
    // Others need not wait until the connection is closed.
    place.dispose();
    return { host, scan };
  } catch (thrown) {
    const error = asFettleError(thrown);
    if (error.code === 'ledger') throw error;
    await emit(context, [unscanned(context, host, error)]);
    return { host, error };
  }
}

export function scanned(context: RunContext, host: Host, scan: HostScan): RunEvent {
  return { type: 'host.scanned', run: context.run, host: host.name, hostId: host.id, scan, purpose: 'scan' };
}

/** How a host ends that could not be looked at; nothing was changed on it. */
export function unscanned(context: RunContext, host: Host, error: FettleError): RunEvent {
  const verdict = verdictOfError(error);
  const { message: reason, hint } = error;
  const told = { verdict, change: 'none', reason, ...(hint === undefined ? {} : { hint }) } as const;
  const outcome = { ...told, error: toErrorRecord(error) };
  return { type: 'host.finished', run: context.run, host: host.name, hostId: host.id, attempt: 1, outcome };
}

/**
 * Does `action` for each host, at most `concurrency` at once. The first error that `action` throws lets no further
 * host begin and is thrown when those in flight are over.
 */
export async function forEachHost(
  hosts: readonly Host[],
  fan: Pick<FanOut, 'concurrency'>,
  action: (host: Host) => Promise<void>,
): Promise<void> {
  const limit = pLimit(Math.max(1, fan.concurrency));
  const failures: unknown[] = [];
  const visit = async (host: Host): Promise<void> => {
    if (failures.length > 0) return;
    try {
      await action(host);
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(hosts.map((host) => limit(visit, host)));
  if (failures.length > 0) throw failures[0];
}
