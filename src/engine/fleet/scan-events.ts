import { toErrorRecord, type FettleError } from '../../domain/error.ts';
import type { RunEvent } from '../../domain/event.ts';
import type { Host } from '../../domain/host.ts';
import { verdictOfError } from '../../domain/outcome.ts';
import type { HostScan } from '../../domain/scan.ts';
import type { RunContext } from '../context.ts';

export function scanned(context: RunContext, host: Host, scan: HostScan): RunEvent {
  return { type: 'host.scanned', run: context.run, host: host.name, hostId: host.id, scan, purpose: 'scan' };
}

/** The end of a host that could not be queried; nothing was changed on it. */
export function unscanned(context: RunContext, host: Host, error: FettleError): RunEvent {
  const verdict = verdictOfError(error);
  const { message: reason, hint } = error;
  const outcome = {
    verdict,
    change: 'none',
    reason,
    ...(hint === undefined ? {} : { hint }),
    error: toErrorRecord(error),
  } as const;
  return { type: 'host.finished', run: context.run, host: host.name, hostId: host.id, attempt: 1, outcome };
}
