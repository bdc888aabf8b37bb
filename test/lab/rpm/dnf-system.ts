import type { Lab } from '../lab.ts';
import type { System } from '../systems.ts';
import { ensureRpmArchive } from './archive.ts';

/** Where the repositories are on a host, each in a directory of its own. */
export const hostArchive = '/srv/rpm';

const repositories = ['base', 'updates']
  .map(
    (name) =>
      `[${name}]\nname=Lab ${name}\nbaseurl=file://${hostArchive}/${name}\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file://${hostArchive}/key.asc\n`,
  )
  .join('\n');

/** How the two generations of dnf differ here. */
interface Dnf {
  readonly program: 'dnf' | 'dnf5';
  /** A plugin of Debian's that keeps a repository of its own of what was downloaded. */
  readonly localPlugin: string;
}

/** The host keeps apt's files and loses its program: dnf and rpm of Debian, over the lab's own repositories, are what is left. */
function setupOf({ program, localPlugin }: Dnf): System['setup'] {
  return (packages) => {
    const held = packages.includes('held') ? `${program} -q -y versionlock add held` : ':';
    return `mv /usr/bin/apt-get /usr/bin/apt-get.away
mkdir -p /var/lib/rpm /etc/rpm /etc/yum.repos.d
printf '%s\\n' '%_dbpath /var/lib/rpm' '%__transaction_unshare %{nil}' >/etc/rpm/macros.lab
printf '[main]\\nname = local\\nenabled = false\\n' >${localPlugin}
cat >/etc/dnf/dnf.conf <<'CONF'
[main]
gpgcheck=True
installonly_limit=2
best=True
skip_if_unavailable=False
CONF
cat >/etc/yum.repos.d/lab.repo <<'REPO'
${repositories}
REPO
{
  ${program} -q -y --repo base install lab-release ${packages.join(' ')}
  ${program} -q -y makecache
  ${held}
} >/tmp/install.log 2>&1 || { cat /tmp/install.log >&2; exit 1; }
rm -f /tmp/install.log
echo 'excludepkgs=excluded' >>/etc/dnf/dnf.conf
`;
  };
}

function systemOf(dnf: Dnf): System {
  return { archive: ensureRpmArchive, at: hostArchive, setup: setupOf(dnf) };
}

/** Hosts whose system is installed by dnf 4, and by dnf 5. */
export const dnfSystem = systemOf({ program: 'dnf', localPlugin: '/etc/dnf/plugins/local.conf' });
export const dnf5System = systemOf({ program: 'dnf5', localPlugin: '/etc/dnf/libdnf5-plugins/local.conf' });

/** Versions of a package in rpm's database, in the order of their installation; empty where there is none. */
export async function rpmVersions(lab: Lab, host: string, name: string): Promise<readonly string[]> {
  const text = await lab.tell(host, `rpm -q --qf '%{VERSION}-%{RELEASE}\\n' ${name} || :`);
  return text.split('\n').filter((line) => line !== '' && !line.includes(' '));
}
