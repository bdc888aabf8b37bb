import { contractOf } from './contract/contract.ts';
import { hostArchive, pacmanVersions } from './pacman/pacman-system.ts';

/** pacman takes its lock by a file that nobody else has made, and keeps it open. */
function takeLock(name: string, flag: string): string {
  return `: >${flag}
setsid perl -MFcntl -e '$0 = "${name}"; sysopen my $lock, "/var/lib/pacman/db.lck", O_WRONLY | O_CREAT | O_EXCL, 0 or die;
open my $g, ">", "${flag}.taken"; close $g; select undef, undef, undef, 0.1 while -e "${flag}";
unlink "/var/lib/pacman/db.lck", "${flag}.taken"' </dev/null >/dev/null 2>&1 &`;
}

contractOf({
  manager: 'pacman',
  host: (packages) => ({ flavour: 'pacman', packages }),
  version: (version) => `${version}-1`,
  installed: pacmanVersions,
  holdLock: async (host, name) => {
    const flag = '/run/lab-holds-lock';
    await host.must(takeLock(name, flag));
    await host.until(`[ -e ${flag}.taken ]`, 'take the lock');
    return async () => {
      await host.must(`rm -f ${flag}; while [ -e ${flag}.taken ]; do sleep 0.05; done`);
    };
  },
  moveOn: async (lab, host) => {
    await lab.tell(host, `ln -sfn ${hostArchive}/later ${hostArchive}/now`);
  },
  lacks: { security: 'the repositories of Arch Linux do not say which updates close security holes' },
  wholeUpgrade: /does not support partial upgrades, and this would leave out lab-remover 1\.1-1/,
});
