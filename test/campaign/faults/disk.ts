// Full disks.
import type { Fault } from '../fault.ts';

const quarterMib = 256 * 1024;

export const diskFaults: readonly Fault[] = [
  {
    name: 'disk of the host full',
    at: ['preflight', 'refresh', 'before_host', 'install', 'before_reboot', 'reboot', 'verify', 'after_host'],
    strike: async ({ victim, random }) => {
      await victim.fillDisk(random.oneOf([0, quarterMib, 4 * quarterMib]));
      return { heal: () => victim.emptyDisk() };
    },
  },
];
