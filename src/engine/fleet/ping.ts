import { asFettleError, type FettleError } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import type { HostSummary } from '../../domain/scan.ts';
import { skewWords } from '../host/preflight.ts';
import { forEachHost, type FanOut } from './for-each-host.ts';

/** What `ping` reports of a host: how long its answer took, its summary, and what would keep work off it. */
export type PingResult =
  | {
      readonly host: Host;
      readonly tookMs: number;
      readonly summary: HostSummary;
      readonly warnings: readonly string[];
    }
  | { readonly host: Host; readonly error: FettleError };

export interface PingFleet extends FanOut {
  readonly onResult: (result: PingResult) => void;
}

const maxSkewMs = 5 * 60_000;
const lowBytes = 256 * 1024 * 1024;

/** Connects to every host and checks its locks, clock and disks. Changes and records nothing. */
export async function pingHosts(hosts: readonly Host[], fleet: PingFleet): Promise<void> {
  await forEachHost(hosts, fleet, async (host) => {
    fleet.onResult(await pingHost(host, fleet));
  });
}

async function pingHost(host: Host, { context, remote: open }: PingFleet): Promise<PingResult> {
  const startMs = context.clock.elapsedMs();
  try {
    context.stop.throwIfAborted();
    await using remote = open(host);
    const summary = await remote.summary(context.detach);
    return { host, tookMs: Math.round(context.clock.elapsedMs() - startMs), summary, warnings: pingWarnings(summary) };
  } catch (thrown) {
    const error = asFettleError(thrown);
    if (error.code === 'ledger') throw error;
    return { host, error };
  }
}

/** What would stand in the way of work on the host, each as one sentence. */
export function pingWarnings(summary: HostSummary): string[] {
  const { facts, privileges, running, disks, active, broken, problems } = summary;
  const skew = facts.clockSkewMs ?? 0;
  return [
    ...(privileges.isRoot ? [] : [`${privileges.user} is not root and no elevation is set`]),
    ...running.map((item) => `${item.name} (pid ${item.pid}) is changing packages`),
    ...(active === undefined ? [] : [`run ${active.run} of ${active.controller} is working on it`]),
    ...(broken.length === 0
      ? []
      : [`packages are not properly installed: ${broken.map((item) => item.name).join(', ')}`]),
    ...(Math.abs(skew) > maxSkewMs ? [skewWords(skew)] : []),
    ...problems.map(({ message }) => message),
    ...disks.filter((disk) => disk.freeBytes < lowBytes).map((disk) => `${disk.mount} is nearly full`),
  ];
}
