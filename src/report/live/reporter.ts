import type { EventSink } from '../../domain/event.ts';

/** Shows a run as it happens. `finish` draws the summary and gives the terminal back. */
export interface Reporter extends EventSink {
  finish(): void;
}

export interface ReporterOptions {
  /** `-v` counted: 1 shows every step, 2 what hosts print too. */
  readonly verbose: number;
  /** Exit names that `--ok` takes for good: `quiet` is silent about them. */
  readonly accepted: readonly string[];
}
