import type { HostKeyPolicy } from '../domain/host.ts';
import { CredentialGuard } from './credential-guard.ts';
import { localTransport } from './local.ts';
import type { Transport } from './session.ts';
import { SshTransport } from './ssh/ssh.ts';

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

export function openTransports(environment: TransportEnvironment): Transports {
  const credentials = new CredentialGuard();
  const ssh = new SshTransport({ ...environment, credentials });
  const byName: Readonly<Record<TransportName, Transport>> = {
    ssh,
    local: localTransport({ env: environment.env, credentials }),
  };
  const all = new Map<string, Transport>(Object.entries(byName));
  return { get: (name) => all.get(name), [Symbol.asyncDispose]: () => ssh[Symbol.asyncDispose]() };
}
