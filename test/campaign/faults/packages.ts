// Faults of package managers, archives and packages.
import type { Fault } from '../fault.ts';

export const packageFaults: readonly Fault[] = [
  {
    name: 'apt locked by another for 30 s',
    at: ['preflight', 'refresh', 'before_host', 'install'],
    strike: async ({ victim }) => ({ heal: await victim.holdLock(), afterMs: 30_000 }),
  },
  {
    name: 'apt locked by another for ever',
    at: ['preflight', 'refresh', 'before_host', 'install'],
    strike: async ({ victim }) => ({ heal: await victim.holdLock() }),
  },
  {
    name: 'a package half-configured beforehand',
    at: ['preflight'],
    beforeApply: async ({ victim }) => {
      // The archive's own package of another name, unpacked and never configured: what a killed dpkg leaves.
      const { code, stderr } = await victim.inside(
        'dpkg --unpack "$(find /srv/repo/pool -name "fettle-victim_*.deb" | head -n 1)"',
      );
      if (code !== 0) throw new Error(`nothing could be left half-configured: ${stderr}`);
    },
    strike: async ({ victim }) => ({ heal: async () => void (await victim.inside('dpkg --configure -a')) }),
  },
  {
    name: 'archive gone between plan and apply',
    at: ['preflight', 'refresh'],
    beforeApply: ({ lab }) => lab.repo.unpublish(),
    strike: async ({ lab }) => ({ heal: () => lab.repo.republish() }),
  },
  {
    name: 'archive gone in the middle',
    at: ['before_host', 'install'],
    strike: async ({ lab }) => {
      await lab.repo.unpublish();
      return { heal: () => lab.repo.republish() };
    },
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
