import { asFettleError, isOutage } from '../../domain/error.ts';
import type { FettleError } from '../../domain/error.ts';
import { hostDigest, show } from '../context.ts';
import type { HostContext } from '../context.ts';

const firstPauseMs = 1_000;
/** How often something is asked again that was answered wrongly although nothing is at work. */
const faultTries = 3;

export interface Patience {
  /** Since the connection was first missed. Milliseconds. */
  readonly limitMs: number;
  /** Is this error one that passes? `tries` counts the failures in a row, this one included. */
  readonly isPassing?: (error: FettleError, tries: number) => boolean;
}

/**
 * Does `action` again with growing pauses while the connection is away, for at most `limitMs` since it was first
 * missed. Other errors, and the last one, are thrown; so is the reason of `detach`. The pauses of hosts differ, so that
 * a fleet that was cut off together does not come back in step.
 */
export async function retryThroughOutages<T>(
  context: HostContext,
  { limitMs, isPassing = isOutage }: Patience,
  action: () => Promise<T>,
): Promise<T> {
  const { clock, detach, limits } = context;
  let missedSince: number | undefined;
  let fullPauseMs = firstPauseMs;
  for (let tries = 1; ; tries += 1) {
    detach.throwIfAborted();
    const pauseMs = spread(context.host.id, tries, fullPauseMs);
    try {
      return await action();
    } catch (thrown) {
      const error = asFettleError(thrown);
      if (detach.aborted || !isPassing(error, tries)) throw error;
      missedSince ??= clock.elapsedMs();
      if (clock.elapsedMs() - missedSince + pauseMs > limitMs) throw error;
      const what = isOutage(error) ? 'connection lost' : 'no usable answer';
      const note = `${what} (${error.message}), retrying`;
      show(context, { type: 'live.note', host: context.host.name, note });
    }
    await clock.sleep(pauseMs, detach);
    fullPauseMs = Math.min(fullPauseMs * 2, limits.retryCapMs);
  }
}

/** Between half of the pause and all of it: another part for each host and each try, the same in every process. */
function spread(hostId: string, tries: number, pauseMs: number): number {
  const share = Number.parseInt(hostDigest(`${hostId} ${tries}`).slice(0, 8), 16) / 2 ** 32;
  return Math.round(pauseMs * (0.5 + share / 2));
}

/**
 * While a job is at work every failed question passes: the program that answers may be the one that is being replaced.
 * Refused credentials do not pass, and neither does another host key; rights that need no password are asked for again.
 */
export function passesWhileAtWork({ host }: HostContext): (error: FettleError) => boolean {
  const mayElevateAgain = host.connection.elevation?.password === undefined;
  return ({ code }) => {
    if (code === 'ledger' || code === 'cancelled') return false;
    return code === 'elevate' ? mayElevateAgain : code !== 'auth' && code !== 'host-key';
  };
}

/** After a change, with nothing at work: outages, and for a few tries answers that do not read. */
export function passesAfterChange(error: FettleError, tries: number): boolean {
  const isFault = error.code === 'command' || error.code === 'parse';
  return isOutage(error) || (isFault && tries < faultTries);
}
