// Faults of package managers, archives and packages.
import type { Fault } from '../fault.ts';

export const packageFaults: readonly Fault[] = [
  {
    name: 'apt locked by another for 8 s',
    at: ['preflight', 'refresh', 'before_host', 'install'],
    strike: async ({ victim }) => ({ heal: await victim.holdPackageLock(), afterMs: 8_000 }),
  },
  {
    name: 'apt locked by another for ever',
    at: ['preflight', 'refresh', 'before_host', 'install'],
    strike: async ({ victim }) => ({ heal: await victim.holdPackageLock() }),
  },
  {
    name: 'postinst reads its standard input',
    at: ['install'],
    victim: { packages: ['fettle-reader'] },
    strike: async () => ({}),
  },
  {
    name: 'postinst prints 1 GB',
    at: ['install'],
    victim: { packages: ['fettle-noisy'], files: { '/etc/fettle-lab/noise-mib': '1024\n' } },
    strike: async () => ({}),
  },
];
