import type { Flavour } from '../lab/base.ts';
import type { HostOptions } from '../lab/options.ts';

export const selected = ['alpha', 'beta'] as const;
export type SelectedHost = (typeof selected)[number];

/** Outside the selection, with updates waiting: nothing may happen to it. */
export const bystander = 'bystander';

const matePackages = ['fettle-tool'];

export interface FleetOptions {
  readonly victim: SelectedHost;
  readonly flavour: Flavour;
  /** Debian's name of the machine's architecture, which is in the name of the kernel's package. */
  readonly architecture: string;
  readonly extra: Partial<HostOptions>;
}

/** The victim has a library and its dependant to install, a slow postinst, and a kernel; a service of its own is late. */
export function fleetOf({ victim, flavour, architecture, extra }: FleetOptions): readonly HostOptions[] {
  const packages = ['fettle-app', 'fettle-slow', `linux-image-${architecture}`, ...(extra.packages ?? [])];
  const files = { '/etc/fettle-lab/slow-step': '0.1\n', ...extra.files };
  return [
    ...selected.map((name) =>
      name === victim ? { ...extra, name, flavour, packages, files } : { name, packages: matePackages },
    ),
    { name: bystander, packages: matePackages },
  ];
}

/** Two waves of one host each; hooks of every kind. */
export const playbook = {
  targets: { select: `all:!${bystander}` },
  rollout: { waves: [1, 'rest'], budget: { max: 1 } },
  install: { lock_wait: '45s' },
  reboot: { mode: 'if-needed', go_down: '30s', come_back: '30s', settle: '5s' },
  verify: { retries: 15, retry_delay: '1s' },
  hooks: {
    before_host: [{ name: 'drain', remote: 'echo before_host >>/var/lib/fettle-lab/hooks.log; sleep 0.3\n' }],
    before_reboot: [{ name: 'stop', remote: 'echo before_reboot >>/var/lib/fettle-lab/hooks.log; sleep 0.3\n' }],
    after_host: [
      { name: 'undrain', runs: 'always', remote: 'echo after_host >>/var/lib/fettle-lab/hooks.log; sleep 0.3\n' },
    ],
  },
};
