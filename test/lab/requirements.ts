import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupRoot } from './places.ts';
import { capture } from './shell.ts';

/** Programs a lab needs, and the Debian package each comes in. */
const programs: Readonly<Record<string, string>> = {
  debootstrap: 'debootstrap',
  'dpkg-deb': 'dpkg',
  'apt-get': 'apt',
  gpg: 'gpg',
  gpgconf: 'gpgconf',
  'gpg-agent': 'gpg-agent',
  ip: 'iproute2',
  bridge: 'iproute2',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  flock: 'util-linux',
  mount: 'mount',
  script: 'bsdutils',
};

/** What keeps a lab from being built here, one reason each; empty where it can be. */
export async function missingForLab(): Promise<readonly string[]> {
  if (process.platform !== 'linux') return [`a lab needs Linux, this is ${process.platform}`];
  if (process.getuid?.() !== 0) return ['a lab needs root, for namespaces, mounts and control groups'];
  const lacking = Object.entries(programs).filter(([program]) => !isOnPath(program));
  const reasons = lacking.map(([program, packageName]) => `${program} is missing (Debian package ${packageName})`);
  if (cgroupRoot() === '') reasons.push('no cgroup2 hierarchy is mounted');
  if (reasons.length === 0) reasons.push(...(await missingRights()));
  return reasons;
}

function isOnPath(program: string): boolean {
  const directories = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`.split(':').filter(Boolean);
  return directories.some((directory) => existsSync(join(directory, program)));
}

async function missingRights(): Promise<readonly string[]> {
  const words = ['unshare', '--mount', '--pid', '--net', '--uts', '--ipc', '--cgroup', '--time', '--fork'];
  const { code, stderr } = await capture([...words, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return code === 0 ? [] : [`namespaces cannot be made here: ${stderr.trim()}`];
}
