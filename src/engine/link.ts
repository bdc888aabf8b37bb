import type { Clock } from '../base/clock.ts';
import { FettleError } from '../domain/error.ts';
import type { Elevation, Host } from '../domain/host.ts';
import type { Session } from '../transport/session.ts';

/** How long a lost host is looked for. Milliseconds. */
export interface ReconnectLimits {
  readonly totalMs: number;
  readonly firstPauseMs: number;
  readonly pauseCapMs: number;
}

export interface LinkPorts {
  /** Finds the transport of the host and opens it; the composition root knows transports by name. */
  readonly open: (host: Host, signal: AbortSignal | undefined) => Promise<Session>;
  readonly elevate: (session: Session, elevation: Elevation) => Session;
  readonly clock: Clock;
  /** In [0, 1): spreads the fleet's tries to connect again. */
  readonly random: () => number;
  readonly limits: ReconnectLimits;
}

export const reconnectLimits: ReconnectLimits = { totalMs: 15 * 60_000, firstPauseMs: 1_000, pauseCapMs: 10_000 };

interface Opened {
  readonly session: Session;
  readonly elevated: Session | undefined;
}

/**
 * The one connection to one host in a run: opened when first needed, kept, opened anew once it is known to be dead.
 * Callers that come while it is being opened share that opening.
 */
export class HostLink implements AsyncDisposable {
  readonly host: Host;
  readonly #ports: LinkPorts;
  #opened: Opened | undefined;
  #opening: Promise<Opened> | undefined;
  #isClosed = false;

  constructor(host: Host, ports: LinkPorts) {
    this.host = host;
    this.#ports = ports;
  }

  /** As the account that logged in. */
  async plain(signal?: AbortSignal): Promise<Session> {
    return (await this.#open(signal)).session;
  }

  /** As the account the inventory says to become; the plain session where it says nothing. */
  async elevated(signal?: AbortSignal): Promise<Session> {
    const { session, elevated } = await this.#open(signal);
    return elevated ?? session;
  }

  get isOpen(): boolean {
    return this.#opened?.session.isAlive === true;
  }

  /** Lets the connection go; the next call opens another. */
  async drop(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await closeQuietly(opened?.session);
  }

  /**
   * Drops the connection and tries again with growing, jittered pauses until the host answers or `totalMs` is over;
   * then the last error is thrown. A refusal (auth, host key) is thrown at once: more tries would lock the account.
   */
  async reconnect(signal?: AbortSignal, limits: ReconnectLimits = this.#ports.limits): Promise<Session> {
    const { clock, random } = this.#ports;
    const deadlineMs = clock.elapsedMs() + limits.totalMs;
    let pauseMs = limits.firstPauseMs;
    await this.drop();
    for (;;) {
      signal?.throwIfAborted();
      try {
        return await this.plain(signal);
      } catch (error) {
        const jitteredMs = Math.round(pauseMs * (0.5 + random() / 2));
        const isOver = clock.elapsedMs() + jitteredMs >= deadlineMs;
        if (signal?.aborted || !isWorthAnotherTry(error) || isOver) throw error;
        await clock.sleep(jitteredMs, signal);
        pauseMs = Math.min(pauseMs * 2, limits.pauseCapMs);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#opening?.catch(() => undefined);
    await this.drop();
  }

  async #open(signal: AbortSignal | undefined): Promise<Opened> {
    if (this.#isClosed) throw new FettleError('internal', `the connection to ${this.host.name} was closed already`);
    if (this.#opened?.session.isAlive === true) return this.#opened;
    this.#opening ??= this.#openAnew(signal).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openAnew(signal: AbortSignal | undefined): Promise<Opened> {
    await this.drop();
    const session = await this.#ports.open(this.host, signal);
    const { elevation } = this.host.connection;
    const elevated = elevation === undefined ? undefined : this.#ports.elevate(session, elevation);
    this.#opened = { session, elevated };
    return this.#opened;
  }
}

function isWorthAnotherTry(error: unknown): boolean {
  return error instanceof FettleError && ['connect', 'timeout', 'lost'].includes(error.code);
}

async function closeQuietly(session: Session | undefined): Promise<void> {
  try {
    await session?.[Symbol.asyncDispose]();
  } catch {
    // A connection that cannot be closed is gone already, which is what was wanted.
  }
}
