import { contractOf } from './contract/contract.ts';
import { hostArchive, rpmVersions } from './rpm/dnf-system.ts';

contractOf({
  manager: 'zypper',
  host: (packages) => ({ flavour: 'zypper', packages }),
  version: (version) => `${version}-1.el9`,
  installed: rpmVersions,
  holdLock: (host, name) => host.holdPidFile('/run/zypp.pid', name),
  moveOn: async (lab, host) => {
    await lab.tell(
      host,
      `sed -i 's|${hostArchive}/updates|${hostArchive}/later|' /etc/zypp/repos.d/updates.repo; zypper -n refresh >/dev/null`,
    );
  },
});
