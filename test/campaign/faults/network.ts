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
  {
    name: 'latency 300 ms, 5 % of the packets lost',
    at: steps,
    strike: async ({ victim }) => ({
      heal: await victim.degradeNetwork({ delayMs: 150, lossPercent: 5 }),
      afterMs: 40_000,
    }),
  },
  cut('network cut for 2 s', 'silent', 2_000),
  cut('network cut for 60 s', 'silent', 60_000),
  cut('cable out for 5 s', 'link', 5_000),
  cut('half-open: nothing reaches the host for 2 s', 'to-host', 2_000),
  cut('half-open: nothing reaches the host for 60 s', 'to-host', 60_000),
  cut('half-open: nothing comes from the host for 2 s', 'from-host', 2_000),
  cut('half-open: nothing comes from the host for 60 s', 'from-host', 60_000),
  {
    name: 'sshd stopped by SIGSTOP for 15 s',
    at: steps,
    strike: async ({ victim }) => {
      await victim.inside("pkill -STOP -f '^sshd: '");
      return { heal: async () => void (await victim.inside("pkill -CONT -f '^sshd: '")), afterMs: 15_000 };
    },
  },
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
