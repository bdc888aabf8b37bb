import type { RunEvent } from '../../domain/event.ts';
import type { HostScan } from '../../domain/scan.ts';

type ScanEvent = Extract<RunEvent, { readonly type: 'host.scanned' }>;

/** A scan on its way to the thread of the ledger: the package lists are already the bytes that will be stored. */
interface SentScan extends Omit<HostScan, 'packages' | 'autoInstalled'> {
  readonly packageLists: Uint8Array<ArrayBuffer>;
  readonly packageCount: number;
}

export type SentEvent = Exclude<RunEvent, ScanEvent> | (Omit<ScanEvent, 'scan'> & { readonly scan: SentScan });

const encoder = new TextEncoder();

/** Bytes are handed over; a list of a thousand packages would be copied object by object, and back. */
export function sentEvent(event: RunEvent): SentEvent {
  if (event.type !== 'host.scanned') return event;
  const { packages, autoInstalled, ...rest } = event.scan;
  const packageLists = encoder.encode(JSON.stringify({ packages, autoInstalled }));
  return { ...event, scan: { ...rest, packageLists, packageCount: packages.length } };
}

/** What `postMessage` hands over instead of copying it. */
export function handedOver(events: readonly SentEvent[]): ArrayBuffer[] {
  return events.flatMap((event) => (event.type === 'host.scanned' ? [event.scan.packageLists.buffer] : []));
}
