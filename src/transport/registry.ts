import { localTransport } from './local.ts';
import type { Transport } from './session.ts';
import { SshTransport } from './ssh/ssh.ts';

export const transportNames = ['ssh', 'local'] as const;

export interface TransportEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  readonly userName: string;
}

/** The ways to reach hosts, which share jump connections and what was learned about passwords. */
export interface Transports extends AsyncDisposable {
  get(name: string): Transport | undefined;
}

export function openTransports(environment: TransportEnvironment): Transports {
  const ssh = new SshTransport(environment);
  const byName: Readonly<Record<(typeof transportNames)[number], Transport>> = {
    ssh,
    local: localTransport(environment.env),
  };
  const all = new Map<string, Transport>(Object.entries(byName));
  return { get: (name) => all.get(name), [Symbol.asyncDispose]: () => ssh[Symbol.asyncDispose]() };
}
