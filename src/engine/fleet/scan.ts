import { Slots } from '../../base/slots.ts';
import { asFettleError, type FettleError } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import type { HostScan } from '../../domain/scan.ts';
import { emit } from '../context.ts';
import { forEachHost, type FanOut } from './for-each-host.ts';
import { scanned, unscanned } from './scan-events.ts';

export type ScanResult =
  { readonly host: Host; readonly scan: HostScan } | { readonly host: Host; readonly error: FettleError };

export interface ScanFleet extends FanOut {
  /** Metadata older than this is stale. */
  readonly maxAgeMs: number;
  /** Called for each host as it settles; what it does not keep is not kept. */
  readonly onResult: (result: ScanResult) => void | Promise<void>;
}

/** A scan takes many times the memory of the answer it was read from, and hosts answer faster than a ledger writes. */
const unrecordedAtOnce = 16;

/** Scans every host, some at once, records each scan as it arrives and keeps none. Throws only ledger errors. */
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
