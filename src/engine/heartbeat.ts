import type { RunContext } from './context.ts';

const renewMs = 40_000;
/** How soon `run stop` from another process is noticed. */
const stopPollMs = 2_000;

export interface HeartbeatPorts extends Pick<RunContext, 'clock' | 'record' | 'run'> {
  readonly renewLeases: () => Promise<void>;
  readonly onStopRequested: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** Renews the leases of a run and checks for a request to stop it, until it is disposed of. */
export class Heartbeat implements AsyncDisposable {
  readonly #end = new AbortController();
  readonly #beating: Promise<void>;

  constructor(ports: HeartbeatPorts) {
    this.#beating = beat(ports, this.#end.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#beating;
  }
}

async function beat(ports: HeartbeatPorts, end: AbortSignal): Promise<void> {
  const { clock, record, run } = ports;
  let renewedMs = clock.elapsedMs();
  while (!end.aborted) {
    try {
      await clock.sleep(stopPollMs, end);
    } catch {
      return;
    }
    try {
      if (await record.stopRequested(run)) ports.onStopRequested();
      if (clock.elapsedMs() - renewedMs < renewMs) continue;
      await ports.renewLeases();
      renewedMs = clock.elapsedMs();
    } catch (error) {
      ports.onFailure(error);
      return;
    }
  }
}
