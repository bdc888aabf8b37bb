// Faults of the host as a machine.
import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { steps } from '../fault.ts';
import type { Fault } from '../fault.ts';

const faketime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

/**
 * From the strike on every new process of the host lives in another day; monotonic clocks go on as they were. Not under
 * systemd, whose first process does not bear it. The sandbox of sshd does not let it look for the time in a file.
 */
function clockJump(name: string, offset: string): Fault {
  return {
    name,
    at: steps,
    victim: { flavour: 'plain' },
    isUnavailable: () => (existsSync(faketime) ? undefined : 'the package faketime is missing'),
    beforeApply: async ({ victim }) => {
      const { pid } = await victim.status();
      await copyFile(faketime, `/proc/${pid}/root/usr/local/lib/faketime.so`);
      await victim.inside(`echo FAKETIME_SKIP_CMDS=sshd >>/etc/default/ssh; echo +0 >/etc/faketimerc
echo /usr/local/lib/faketime.so >/etc/ld.so.preload`);
      await victim.stopSshd();
      await victim.startSshd();
    },
    strike: async ({ victim }) => {
      await victim.inside(`echo '${offset}' >/etc/faketimerc`);
      return {};
    },
  };
}

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
  clockJump('clock of the host a day ahead', '+1d'),
  clockJump('clock of the host a day back', '-1d'),
];
