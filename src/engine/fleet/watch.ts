import pLimit from 'p-limit';
import type { FettleError } from '../../domain/error.ts';
import { asFettleError, isDenied } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import type { BootState, HostPort } from '../connection/host-port.ts';
import type { FanOut } from './for-each-host.ts';

/** `refused`: it answers and does not let us in. */
type WatchState = 'up' | 'starting' | 'down' | 'refused';

export interface WatchNews {
  readonly host: string;
  readonly state: WatchState;
  /** Wall time of the answer, epoch ms. */
  readonly atMs: number;
  readonly bootId?: string;
  /** Wall time of the last boot as the host's uptime has it, epoch ms. */
  readonly bootedMs?: number;
  readonly error?: FettleError;
}

export interface WatchFleet extends FanOut {
  readonly intervalMs: number;
  /** Of each host from one question to the next; false: a connection for each question. */
  readonly keepsConnections: boolean;
  /** Aborted: the end. */
  readonly until: AbortSignal;
  readonly onNews: (news: WatchNews) => void;
}

/** A login that is refused counts against the account: it is not tried more often. */
const refusedPauseMs = 60_000;

/** Looks at every host again and again, each over a connection that it keeps; records nothing. */
export async function watchHosts(hosts: readonly Host[], fleet: WatchFleet): Promise<void> {
  const limit = pLimit(fleet.concurrency);
  await Promise.all(hosts.map((host) => watchHost(host, fleet, (action) => limit(action))));
}

type InTurn = (look: () => Promise<WatchNews | undefined>) => Promise<WatchNews | undefined>;

async function watchHost(host: Host, fleet: WatchFleet, pacedReading: InTurn): Promise<void> {
  const { until, intervalMs, onNews, context, keepsConnections } = fleet;
  let remote = fleet.remote(host);
  try {
    while (!until.aborted) {
      const news = await pacedReading(async () => {
        const found = await look(remote, fleet);
        if (found?.error === undefined && keepsConnections) return found;
        await remote[Symbol.asyncDispose]();
        remote = fleet.remote(host);
        return found;
      });
      if (news === undefined) return;
      onNews(news);
      const pauseMs = news.state === 'refused' ? Math.max(refusedPauseMs, intervalMs) : intervalMs;
      await context.clock.sleep(pauseMs, until).catch(() => undefined);
    }
  } finally {
    await remote[Symbol.asyncDispose]();
  }
}

/** Undefined when the watch ended meanwhile. */
async function look(remote: HostPort, { until, context }: WatchFleet): Promise<WatchNews | undefined> {
  const host = remote.host.name;
  if (until.aborted) return undefined;
  try {
    const state = await remote.bootState(until);
    return {
      host,
      state: state.isSettled ? 'up' : 'starting',
      atMs: context.clock.now(),
      ...bootOf(state, context.clock.now()),
    };
  } catch (thrown) {
    if (until.aborted) return undefined;
    const error = asFettleError(thrown);
    return { host, state: isDenied(error) ? 'refused' : 'down', atMs: context.clock.now(), error };
  }
}

function bootOf({ bootId, uptimeSec }: BootState, nowMs: number): Pick<WatchNews, 'bootId' | 'bootedMs'> {
  return {
    ...(bootId === undefined ? {} : { bootId }),
    ...(uptimeSec === undefined ? {} : { bootedMs: nowMs - uptimeSec * 1_000 }),
  };
}
