import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';
import { Slots } from '../../base/slots.ts';

export type PacedReading = <T>(read: () => T) => Promise<T>;

/** What reading may take of one turn of the event loop, one answer more or less. */
const shareMs = 5;

/**
 * Reads answers of a fleet one after the other, a few in each turn of the event loop. A hundred that come at once would
 * be read in one go, and keepalives, limits and Ctrl-C would wait for all of them.
 */
export function pacedReading(clock: Clock): PacedReading {
  const turns = new Slots(1);
  let begunMs = -Infinity;
  return async (read) => {
    using _turn = await turns.take();
    if (clock.elapsedMs() - begunMs > shareMs) {
      await nextTurn();
      begunMs = clock.elapsedMs();
    }
    return read();
  };
}
