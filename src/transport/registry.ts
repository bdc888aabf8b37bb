import { join } from 'node:path';
import { systemClock, type Clock } from '../base/clock.ts';
import { ownCacheDirectory } from '../trust/own-cache.ts';
import { atAddress } from '../domain/error.ts';
import type { Host, HostKeyPolicy } from '../domain/host.ts';
import { CredentialGuard } from './credential-guard.ts';
import { localTransport } from './local.ts';
import { throughShortages } from './shortage.ts';
import type { OpenOptions, Session, Transport } from './session.ts';

export const transportNames = ['ssh', 'winrm', 'local'] as const;
type TransportName = (typeof transportNames)[number];

export interface TransportEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  readonly userName: string;
  /** Of this process, where the system has one. */
  readonly uid?: number | undefined;
  /** For problems with local files that do not end the command. */
  readonly warn?: (message: string) => void;
  /** Set on the command line: overrides inventory and ~/.ssh/config. */
  readonly hostKeyPolicy?: HostKeyPolicy;
  /** The system's clock by default. */
  readonly clock?: Clock;
}

/** The transports, which share jump connections and the record of refused passwords. */
export interface Transports extends AsyncDisposable {
  get(name: string): Transport | undefined;
}

/** Network transports are loaded when the first host is contacted: loading them would dominate start-up. */
export function openTransports(environment: TransportEnvironment): Transports {
  const credentials = new CredentialGuard();
  const ssh = new LazyTransport('ssh', async () => {
    const { SshTransport } = await import('./ssh/ssh.ts');
    const { env, uid } = environment;
    return new SshTransport({ ...environment, credentials, cacheDirectory: ownCacheDirectory({ env, uid }) });
  });
  const winrm = new LazyTransport('winrm', async () => {
    const { WinrmTransport } = await import('./winrm/winrm.ts');
    const { clock = systemClock } = environment;
    return new WinrmTransport({ clock, credentials, certificatesFile: certificatesFile(environment) });
  });
  const byName: Readonly<Record<TransportName, Transport>> = {
    ssh,
    winrm,
    local: localTransport({ env: environment.env, credentials }),
  };
  const all = new Map<string, Transport>(Object.entries(byName));
  for (const [name, transport] of all) all.set(name, new PatientTransport(transport));
  return { get: (name) => all.get(name), [Symbol.asyncDispose]: () => ssh[Symbol.asyncDispose]() };
}

/** Certificates that were trusted on first use, one file for every ledger of the account. */
function certificatesFile({ env, homeDir }: TransportEnvironment): string {
  const state = env['XDG_STATE_HOME'];
  return join(state === undefined || state === '' ? join(homeDir, '.local/state') : state, 'fettle/winrm_certificates');
}

/** A shortage of this machine while a session is opened (files of keys and known hosts, an agent) is waited out. */
class PatientTransport implements Transport {
  readonly #inner: Transport;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  get name(): string {
    return this.#inner.name;
  }

  open(host: Host, options: OpenOptions): Promise<Session> {
    const limit = { ms: host.connection.limits.connectMs, what: host.name, ...options };
    return throughShortages(() => this.#inner.open(host, options), limit).catch((error: unknown) => {
      throw atAddress(error, host.connection.address);
    });
  }

  async route(host: Host): Promise<readonly string[]> {
    return (await this.#inner.route?.(host)) ?? [];
  }

  async descriptors(host: Host): Promise<number> {
    return (await this.#inner.descriptors?.(host)) ?? 1;
  }
}

type Loaded = Transport & Partial<AsyncDisposable>;

class LazyTransport implements Transport, AsyncDisposable {
  readonly name: TransportName;
  readonly #load: () => Promise<Loaded>;
  #loaded: Promise<Loaded> | undefined;

  constructor(name: TransportName, load: () => Promise<Loaded>) {
    this.name = name;
    this.#load = load;
  }

  async open(host: Host, options: OpenOptions): Promise<Session> {
    this.#loaded ??= this.#load();
    return (await this.#loaded).open(host, options);
  }

  async route(host: Host): Promise<readonly string[]> {
    this.#loaded ??= this.#load();
    return (await (await this.#loaded).route?.(host)) ?? [];
  }

  async descriptors(host: Host): Promise<number> {
    this.#loaded ??= this.#load();
    return (await (await this.#loaded).descriptors?.(host)) ?? 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A failure to load was reported to the caller that asked for the module.
    await (await this.#loaded?.catch(() => undefined))?.[Symbol.asyncDispose]?.();
  }
}
