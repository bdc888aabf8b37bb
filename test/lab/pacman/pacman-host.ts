import { run } from '../shell.ts';
import type { Lab } from '../lab.ts';
import { ensurePacmanArchive } from './archive.ts';
import { repositories } from './catalogue.ts';

/** Where the repositories are on a host. */
export const hostArchive = '/srv/pacman';

const installed = ['old/core', 'old/extra'].flatMap((place) => (repositories[place] ?? []).map(({ name }) => name));

/** The host keeps apt's files and loses its program: pacman over the lab's own repositories is what is left. */
const setup = `set -e
mv /usr/bin/apt-get /usr/bin/apt-get.away
ln -sf /proc/self/mounts /etc/mtab
mkdir -p /etc/pacman.d/gnupg "/usr/lib/modules/$(uname -r)"
# As pacman-key --init makes it: readable for everybody, the keyring under its older name.
: >/etc/pacman.d/gnupg/pubring.gpg
gpg --batch --quiet --homedir /etc/pacman.d/gnupg --import ${hostArchive}/key.asc
gpg --batch --homedir /etc/pacman.d/gnupg --with-colons --list-keys | sed -n 's/^fpr:*\\([0-9A-F]*\\):/\\1:6:/p' | head -n 1 |
  gpg --batch --quiet --homedir /etc/pacman.d/gnupg --import-ownertrust
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
pacman -Sy --noconfirm ${installed.join(' ')} >/tmp/install.log 2>&1 || { cat /tmp/install.log >&2; exit 1; }
rm -f /tmp/install.log
echo '# mine' >>/etc/nginx.conf
ln -sfn ${hostArchive}/new ${hostArchive}/now`;

/** Makes a host of the flavour `pacman` one whose system is installed by pacman, and whose mirror has moved on. */
export async function makePacmanHost(lab: Lab, name: string): Promise<void> {
  const archive = await ensurePacmanArchive();
  const { pid } = await lab.host(name).status();
  if (pid === undefined) throw new Error(`${name} is not running`);
  await run(['cp', '-aT', archive, `/proc/${pid}/root${hostArchive}`]);
  await lab.tell(name, setup);
}

/** The version in alpm's database; empty where there is none. */
export async function pacmanVersion(lab: Lab, host: string, name: string): Promise<string> {
  const text = await lab.tell(host, `pacman -Q ${name} 2>/dev/null || :`);
  return text.trim().split(' ')[1] ?? '';
}
