import type { Lab } from '../lab.ts';
import type { System } from '../systems.ts';
import { ensurePacmanArchive } from './archive.ts';

/** Where the repositories are on a host. */
export const hostArchive = '/srv/pacman';

/** The host keeps apt's files and loses its program: pacman over the lab's own repositories is what is left. */
function setup(packages: readonly string[]): string {
  return `mv /usr/bin/apt-get /usr/bin/apt-get.away
mkdir -p /etc/pacman.d/gnupg
# As pacman-key --init makes it: readable for everybody, the keyring under its older name.
: >/etc/pacman.d/gnupg/pubring.gpg
keys() { gpg --batch --quiet --homedir /etc/pacman.d/gnupg "$@" 2>/tmp/keys.log || { cat /tmp/keys.log >&2; exit 1; }; }
keys --import ${hostArchive}/key.asc
fingerprint=$(keys --with-colons --list-keys | sed -n 's/^fpr:*\\([0-9A-F]*\\):/\\1/p' | head -n 1)
printf '%s:6:\\n' "$fingerprint" | keys --import-ownertrust
gpgconf --homedir /etc/pacman.d/gnupg --kill all
chmod 755 /etc/pacman.d/gnupg
chmod 644 /etc/pacman.d/gnupg/*.gpg
cat >/etc/pacman.conf <<'CONF'
[options]
HoldPkg = pacman glibc
Architecture = x86_64
SigLevel = Required
IgnorePkg = held
#more
[core]
Server = file://${hostArchive}/now/core
[extra]
Server = file://${hostArchive}/now/extra
CONF
ln -sfn ${hostArchive}/old ${hostArchive}/now
pacman -Sy --noconfirm ${packages.join(' ')} >/tmp/install.log 2>&1 || { cat /tmp/install.log >&2; exit 1; }
rm -f /tmp/install.log /tmp/keys.log /var/cache/pacman/pkg/*
if [ -e /etc/nginx.conf ]; then echo '# mine' >>/etc/nginx.conf; fi
ln -sfn ${hostArchive}/new ${hostArchive}/now
# As a refresh of fettle leaves it.
mkdir -p /var/cache/fettle/pacman/sync
ln -s /var/lib/pacman/local /var/cache/fettle/pacman/local
pacman -Sy --dbpath /var/cache/fettle/pacman --logfile /dev/null >/dev/null
`;
}

/** A host whose system is installed by pacman, and whose mirror has moved on since. */
export const pacmanSystem: System = { archive: ensurePacmanArchive, at: hostArchive, setup };

/** The version of a package in alpm's database, where its files are those of the package; else none. */
export async function pacmanVersions(lab: Lab, host: string, name: string): Promise<readonly string[]> {
  const text = await lab.tell(
    host,
    `pacman -Qkk ${name} 2>&1 | grep -q '^warning: ${name}: ' || pacman -Q ${name} 2>/dev/null || :`,
  );
  const version = text.trim().split(' ')[1];
  return version === undefined ? [] : [version];
}
