// Faults between fettle and the host, and of the host's sshd.
import { steps } from '../fault.ts';
import type { Fault } from '../fault.ts';
import type { CutMode } from '../../lab/spec.ts';

function cut(name: string, mode: CutMode, forMs: number): Fault {
  return {
    name,
    at: steps,
    strike: async ({ victim }) => {
      await victim.cutNetwork(mode);
      return { heal: () => victim.restoreNetwork(), afterMs: forMs };
    },
  };
}

export const networkFaults: readonly Fault[] = [
  cut('network cut for 2 s', 'silent', 2_000),
  cut('network cut for 60 s', 'silent', 60_000),
  cut('cable out for 5 s', 'link', 5_000),
  cut('half-open: nothing reaches the host for 20 s', 'to-host', 20_000),
  cut('half-open: nothing comes from the host for 20 s', 'from-host', 20_000),
  {
    name: 'sshd sessions killed',
    at: steps,
    strike: async ({ victim }) => {
      await victim.killSshSessions();
      return {};
    },
  },
  {
    name: 'sshd stopped for 5 s, sessions killed',
    at: steps,
    strike: async ({ victim }) => {
      await victim.stopSshd();
      await victim.killSshSessions();
      return { heal: () => victim.startSshd(), afterMs: 5_000 };
    },
  },
];
