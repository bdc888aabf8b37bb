import pLimit from 'p-limit';
import type { Host } from '../../domain/host.ts';
import type { HostPort } from '../connection/host-port.ts';
import type { RunContext } from '../context.ts';

export interface FanOut {
  readonly context: RunContext;
  /** A connection of its own for each host, closed when the host is over. */
  readonly remote: (host: Host) => HostPort;
  /** Hosts at once. */
  readonly concurrency: number;
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
