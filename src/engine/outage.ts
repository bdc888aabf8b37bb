import { asFettleError, isOutage, show } from './context.ts';
import type { HostContext } from './context.ts';

const firstPauseMs = 1_000;

/**
 * Does `action` again with growing pauses while the connection is away, for at most `limitMs` since it was first
 * missed. Other errors, and the last one, are thrown; so is the reason of `detach`.
 */
export async function throughOutages<T>(context: HostContext, limitMs: number, action: () => Promise<T>): Promise<T> {
  const { clock, detach, limits } = context;
  let missedSince: number | undefined;
  let pauseMs = firstPauseMs;
  for (;;) {
    detach.throwIfAborted();
    try {
      return await action();
    } catch (error) {
      if (detach.aborted || !isOutage(error)) throw error;
      missedSince ??= clock.elapsedMs();
      if (clock.elapsedMs() - missedSince + pauseMs > limitMs) throw error;
      const missing = `connection lost (${asFettleError(error).message}), trying again`;
      show(context, { type: 'live.note', host: context.host.name, note: missing });
    }
    await clock.sleep(pauseMs, detach);
    pauseMs = Math.min(pauseMs * 2, limits.retryCapMs);
  }
}
