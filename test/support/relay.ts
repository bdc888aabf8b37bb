import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export type RelayMode = 'pass' | 'drop' | { readonly passBytes: number };

/** Between a client and a port on loopback: passes bytes until it is told to break. */
export class Relay implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  /** Connections taken so far. */
  connections = 0;
  /** `drop` swallows both directions; `passBytes` lets that many come back, then goes silent. */
  mode: RelayMode = 'pass';

  private constructor(target: number) {
    this.#server = createServer((client) => this.#join(client, connect(target, '127.0.0.1')));
  }

  static async to(target: number): Promise<Relay> {
    const relay = new Relay(target);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#pairs.size;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection at once: RST to the client. */
  reset(): void {
    for (const [client, host] of this.#pairs) {
      client.resetAndDestroy();
      host.destroy();
    }
  }

  #join(client: Socket, host: Socket): void {
    this.connections += 1;
    client.setNoDelay(true);
    host.setNoDelay(true);
    const pair = [client, host] as const;
    this.#pairs.add(pair);
    let backBytes = 0;
    client.on('data', (chunk) => {
      if (this.mode !== 'drop') host.write(chunk);
    });
    host.on('data', (chunk: Buffer) => {
      const left = typeof this.mode === 'object' ? Math.max(0, this.mode.passBytes - backBytes) : Infinity;
      backBytes += chunk.length;
      if (this.mode !== 'drop' && left > 0) client.write(chunk.subarray(0, Math.min(left, chunk.length)));
    });
    for (const [one, other] of [pair, [host, client] as const]) {
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#pairs.delete(pair);
        other.destroy();
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
