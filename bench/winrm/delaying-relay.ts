// A long way between a client and a port on loopback: every byte takes half of the delay in each direction.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** For one request at a time on a connection, as WinRM is spoken. */
export class DelayingRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #halfMs: number;
  /** From the last byte of a request that reached the host to the first byte of its answer, added up. Milliseconds. */
  hostMs = 0;

  private constructor(target: number, delayMs: number) {
    this.#halfMs = delayMs / 2;
    this.#server = createServer((client) => this.#join(client, connect(target, '127.0.0.1')));
  }

  /** `delayMs` is there and back. */
  static async to(target: number, delayMs: number): Promise<DelayingRelay> {
    const relay = new DelayingRelay(target, delayMs);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #join(client: Socket, host: Socket): void {
    let askedMs: number | undefined;
    this.#carry(client, host, () => (askedMs = performance.now()));
    host.on('data', () => {
      if (askedMs !== undefined) this.hostMs += performance.now() - askedMs;
      askedMs = undefined;
    });
    this.#carry(host, client, () => undefined);
  }

  /** Timers of one length fire in the order in which they were set, so that bytes stay in theirs. */
  #carry(from: Socket, to: Socket, arrived: () => void): void {
    from.setNoDelay(true);
    this.#sockets.add(from);
    from.on('error', () => undefined);
    from.on('data', (chunk) => {
      this.#later(() => {
        if (to.destroyed) return;
        to.write(chunk);
        arrived();
      });
    });
    from.on('close', () => {
      this.#sockets.delete(from);
      this.#later(() => to.destroy());
    });
  }

  #later(act: () => void): void {
    if (this.#halfMs === 0) act();
    else setTimeout(act, this.#halfMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
