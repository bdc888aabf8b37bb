import { asFettleError } from '../domain/error.ts';
import type { FettleError } from '../domain/error.ts';
import type { EventSink, LiveEvent, RunEvent } from '../domain/event.ts';
import type { RunRecord } from '../domain/record.ts';

/** Why a run whose hosts are all well ends as `internal`. */
export function unshown(failure: FettleError): string {
  return `some events of the run could not be shown: ${failure.message}`;
}

/**
 * The events of one run: each is committed, then shown. A display that fails is not asked again and never fails the
 * hosts that the events are about.
 */
export class EventLog {
  readonly #record: Pick<RunRecord, 'append' | 'appendHeld'>;
  readonly #sink: EventSink;
  /** Whatever comes first is committed; undefined where nothing has to be. */
  #begun: Promise<void> | undefined;
  #displayFailure: FettleError | undefined;

  constructor(record: Pick<RunRecord, 'append' | 'appendHeld'>, sink: EventSink) {
    this.#record = record;
    this.#sink = sink;
  }

  /** The first failure to show an event; the end of the run reports it. */
  get displayFailure(): FettleError | undefined {
    return this.#displayFailure;
  }

  /**
   * Commits and shows the event that the run begins with, once the record is open. All others wait for it, and fail as it
   * fails: so hosts may be logged in to meanwhile.
   * @throws FettleError `ledger` where the record could not be opened or the event not be committed.
   */
  begin(opened: Promise<unknown>, first: () => RunEvent, detach: AbortSignal): Promise<void> {
    return (this.#begun = opened.then(() => this.#append([first()], detach)));
  }

  /**
   * Awaited before a side effect it makes the effect findable after a crash. Waits for a slow reader of what was shown,
   * but not past `detach`.
   * @throws FettleError `ledger` where the events could not be committed.
   */
  async append(events: readonly RunEvent[], detach?: AbortSignal): Promise<void> {
    await this.#begun;
    await this.#append(events, detach);
  }

  async #append(events: readonly RunEvent[], detach: AbortSignal | undefined): Promise<void> {
    await this.#record.append(events);
    for (const event of events) this.show(event);
    await this.#drained(detach);
  }

  /** The same for the start of what changes a host; refused with `leaseLost` where another process has the host now. */
  async appendHeld(event: RunEvent, lease: { readonly run: string; readonly hostId: string; readonly fence: number }) {
    await this.#begun;
    await this.#record.appendHeld([event], lease);
    this.show(event);
  }

  /** Shows what is not committed. */
  show(event: RunEvent | LiveEvent): void {
    if (this.#displayFailure !== undefined) return;
    try {
      this.#sink.event(event);
    } catch (error) {
      this.#displayFailure = asFettleError(error);
    }
  }

  async #drained(detach: AbortSignal | undefined): Promise<void> {
    if (this.#displayFailure !== undefined || detach?.aborted === true) return;
    try {
      const drained = this.#sink.drained?.();
      if (drained === undefined) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const leave = (): void => resolve();
      detach?.addEventListener('abort', leave, { once: true });
      await Promise.race([drained, promise]);
      detach?.removeEventListener('abort', leave);
    } catch (error) {
      this.#displayFailure ??= asFettleError(error);
    }
  }
}
