import type { EventSink } from '../domain/event.ts';

/** Shows a run as it happens. `finish` draws the summary and gives the terminal back. */
export interface Reporter extends EventSink {
  finish(): void;
}
