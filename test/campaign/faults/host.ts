// Faults of the host as a machine.
import { steps } from '../fault.ts';
import type { Fault } from '../fault.ts';

export const hostFaults: readonly Fault[] = [
  {
    name: 'host off for 5 s',
    at: steps,
    strike: async ({ victim }) => {
      await victim.powerOff();
      return { heal: () => victim.powerOn(), afterMs: 5_000 };
    },
  },
  {
    name: 'host off until somebody comes',
    at: steps,
    patienceMs: 30_000,
    strike: async ({ victim }) => {
      await victim.powerOff();
      return { heal: () => victim.powerOn() };
    },
  },
  {
    name: 'rebooted by somebody else',
    at: steps,
    strike: async ({ victim }) => {
      await victim.powerOff();
      await victim.powerOn();
      return {};
    },
  },
  {
    name: 'does not come back from the reboot',
    at: ['reboot'],
    patienceMs: 90_000,
    strike: async ({ victim }) => {
      await victim.onReboot({ returns: false });
      return {
        heal: async () => {
          await victim.onReboot({});
          if ((await victim.status()).state !== 'on') await victim.powerOn();
        },
      };
    },
  },
  {
    name: 'comes back with another host key',
    at: ['reboot'],
    patienceMs: 90_000,
    strike: async ({ victim, lab }) => {
      await victim.onReboot({ newHostKey: true });
      return {
        heal: async () => {
          await victim.onReboot({});
          await lab.trustHostKeys();
        },
      };
    },
  },
  {
    name: 'sessions killed, another host key',
    at: steps,
    patienceMs: 60_000,
    strike: async ({ victim, lab }) => {
      await victim.changeHostKey();
      await victim.killSshSessions();
      return { heal: () => lab.trustHostKeys() };
    },
  },
];
