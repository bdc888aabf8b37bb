import type { RunEvent } from '../domain/event.ts';
import type { Head } from './events/chain.ts';

/** The head of the chain as it is published outside the ledger: at the start, detach and end of each run. */
export interface Anchor {
  readonly event: RunEvent['type'];
  readonly run: string;
  /** Undefined: the chain does not hold the head that was saved last, so it was replaced or cut off. */
  readonly head: Head | undefined;
}

const anchored: ReadonlySet<RunEvent['type']> = new Set(['run.started', 'run.resumed', 'run.detached', 'run.finished']);

/** The latest of these events for which the head is published. */
export function anchorOf(events: readonly RunEvent[]): Omit<Anchor, 'head'> | undefined {
  const event = events.findLast((item) => anchored.has(item.type));
  return event === undefined || !('run' in event) ? undefined : { event: event.type, run: event.run ?? '' };
}
