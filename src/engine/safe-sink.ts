import { asFettleError } from '../domain/error.ts';
import type { FettleError } from '../domain/error.ts';
import type { EventSink, LiveEvent, RunEvent } from '../domain/event.ts';

/** Why a run whose hosts are all well ends as `internal`. */
export function unshown(failure: FettleError): string {
  return `events of the run could not all be shown: ${failure.message}`;
}

/** Shows events as long as that works: what fails to show them must not fail the hosts they tell of. */
export class SafeSink implements EventSink {
  readonly #sink: EventSink;
  /** The first failure; the end of the run tells it. */
  failure: FettleError | undefined;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  event(event: RunEvent | LiveEvent): void {
    try {
      this.#sink.event(event);
    } catch (error) {
      this.failure ??= asFettleError(error);
    }
  }

  /** Waits for the reader only while the display works. */
  async drained(): Promise<void> {
    if (this.failure !== undefined) return;
    try {
      await this.#sink.drained?.();
    } catch (error) {
      this.failure ??= asFettleError(error);
    }
  }
}
