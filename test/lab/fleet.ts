import type { HostOptions } from './options.ts';

/** Profiles of the fleet a developer plays with, dealt out in turn. */
const profiles: readonly Omit<HostOptions, 'name'>[] = [
  { packages: ['fettle-lib', 'fettle-app', 'fettle-tool'], groups: ['web'] },
  { packages: ['fettle-app', 'linux-image-KERNEL'], groups: ['web'] },
  { packages: ['fettle-tool', 'fettle-big', 'fettle-conf', 'fettle-held'], groups: ['web'] },
  { packages: ['fettle-phased', 'fettle-gradual', 'fettle-hidden', 'fettle-grow'], groups: ['db'] },
  { packages: ['fettle-slow', 'fettle-clash', 'fettle-victim', 'fettle-noisy', 'fettle-reader'], groups: ['db'] },
  {
    flavour: 'systemd',
    packages: ['fettle-app', 'fettle-daemon', 'fettle-lossy', 'linux-image-KERNEL'],
    groups: ['services'],
  },
  { packages: ['fettle-fragile', 'fettle-app'], groups: ['web'] },
];

/** A fleet of so many hosts, of all kinds. */
export function playFleet(count: number, architecture: string): readonly HostOptions[] {
  return Array.from({ length: count }, (_, index) => {
    const profile = profiles[index % profiles.length] ?? {};
    const packages = profile.packages?.map((name) => name.replace('KERNEL', architecture));
    const name = `${profile.groups?.[0] ?? 'host'}${String(index + 1).padStart(2, '0')}`;
    return { ...profile, ...(packages === undefined ? {} : { packages }), name };
  });
}
