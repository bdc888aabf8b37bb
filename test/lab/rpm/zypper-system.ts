import type { System } from '../systems.ts';
import { ensureRpmArchive } from './archive.ts';
import { hostArchive } from './dnf-system.ts';

function repository(name: string): string {
  const lines = [
    `[${name}]`,
    `name=Lab ${name}`,
    'enabled=1',
    'autorefresh=0',
    `baseurl=file://${hostArchive}/${name}`,
  ];
  return [...lines, 'type=rpm-md', 'gpgcheck=1', `gpgkey=file://${hostArchive}/key.asc`].join('\n');
}

/**
 * The host keeps apt's files and loses its program: zypper and rpm of Debian, over the lab's own repositories, are what is
 * left. Debian's libzypp comes without a zypp.conf; this line is what SUSE's says.
 */
function setup(packages: readonly string[]): string {
  return `mv /usr/bin/apt-get /usr/bin/apt-get.away
mkdir -p /var/lib/rpm /etc/rpm /etc/zypp/repos.d
printf '%s\\n' '%_dbpath /var/lib/rpm' '%__transaction_unshare %{nil}' >/etc/rpm/macros.lab
printf '[main]\\nmultiversion = provides:multiversion(kernel)\\n' >/etc/zypp/zypp.conf
cat >/etc/zypp/repos.d/base.repo <<'REPO'
${repository('base')}
REPO
{
  rpm --import ${hostArchive}/key.asc
  zypper --non-interactive refresh
  zypper --non-interactive --no-refresh install lab-release ${packages.join(' ')}
} >/tmp/install.log 2>&1 || { cat /tmp/install.log >&2; exit 1; }
cat >/etc/zypp/repos.d/updates.repo <<'REPO'
${repository('updates')}
REPO
{
  zypper --non-interactive refresh
  ${packages.includes('held') ? 'zypper --non-interactive addlock held' : ':'}
} >/tmp/install.log 2>&1 || { cat /tmp/install.log >&2; exit 1; }
rm -f /tmp/install.log /var/log/zypper.log
`;
}

/** A host whose system is installed by zypper. */
export const zypperSystem: System = { archive: ensureRpmArchive, at: hostArchive, setup };
