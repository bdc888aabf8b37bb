import { FettleError } from '../../domain/error.ts';
import type { Elevation, Host } from '../../domain/host.ts';
import type { Session } from '../../transport/session.ts';

export interface LinkPorts {
  /** Finds the transport of the host and opens it; the composition root knows transports by name. */
  readonly open: (host: Host, signal: AbortSignal | undefined) => Promise<Session>;
  readonly elevate: (session: Session, elevation: Elevation) => Session;
}

interface Opened {
  readonly session: Session;
  readonly elevated: Session | undefined;
}

/**
 * The one connection to one host in a run: opened when first needed, kept, opened anew once it is known to be dead.
 * Callers that come while it is being opened share that opening.
 */
export class HostSession implements AsyncDisposable {
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

  /** As the account the inventory says to become; the plain session where it names none. */
  async elevated(signal?: AbortSignal): Promise<Session> {
    const { session, elevated } = await this.#open(signal);
    return elevated ?? session;
  }

  /** Closes the connection; the next call opens another. */
  async drop(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await closeQuietly(opened?.session);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#opening?.catch(() => undefined);
    await this.drop();
  }

  async #open(signal: AbortSignal | undefined): Promise<Opened> {
    if (this.#isClosed) throw new FettleError('internal', `the connection to ${this.host.name} is already closed`);
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

async function closeQuietly(session: Session | undefined): Promise<void> {
  try {
    await session?.[Symbol.asyncDispose]();
  } catch {
    // A connection that cannot be closed is gone already, which is what was wanted.
  }
}
