import type { Host, HostKeyPolicy } from '../domain/host.ts';
import { CredentialGuard } from './credential-guard.ts';
import { localTransport } from './local.ts';
import type { OpenOptions, Session, Transport } from './session.ts';

export const transportNames = ['ssh', 'local'] as const;
export type TransportName = (typeof transportNames)[number];

export interface TransportEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  readonly userName: string;
  /** Asked for on the command line: beats inventory and ~/.ssh/config. */
  readonly hostKeyPolicy?: HostKeyPolicy;
}

/** The ways to reach hosts, which share jump connections and what was learned about passwords. */
export interface Transports extends AsyncDisposable {
  get(name: string): Transport | undefined;
}

/** What reaches hosts over the network is loaded when the first host is reached: most of a start would be spent on it. */
export function openTransports(environment: TransportEnvironment): Transports {
  const credentials = new CredentialGuard();
  const ssh = new LazyTransport('ssh', async () => {
    const { SshTransport } = await import('./ssh/ssh.ts');
    return new SshTransport({ ...environment, credentials });
  });
  const byName: Readonly<Record<TransportName, Transport>> = {
    ssh,
    local: localTransport({ env: environment.env, credentials }),
  };
  const all = new Map<string, Transport>(Object.entries(byName));
  return { get: (name) => all.get(name), [Symbol.asyncDispose]: () => ssh[Symbol.asyncDispose]() };
}

class LazyTransport implements Transport, AsyncDisposable {
  readonly name: TransportName;
  readonly #load: () => Promise<Transport & AsyncDisposable>;
  #loaded: Promise<Transport & AsyncDisposable> | undefined;

  constructor(name: TransportName, load: () => Promise<Transport & AsyncDisposable>) {
    this.name = name;
    this.#load = load;
  }

  async open(host: Host, options: OpenOptions): Promise<Session> {
    this.#loaded ??= this.#load();
    return (await this.#loaded).open(host, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#loaded)?.[Symbol.asyncDispose]();
  }
}
