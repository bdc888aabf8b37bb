import { contractOf } from './contract/contract.ts';
import { hostArchive, rpmVersions } from './rpm/dnf-system.ts';

contractOf({
  manager: 'dnf',
  host: (packages) => ({ flavour: 'dnf', packages }),
  version: (version) => `${version}-1.el9`,
  installed: rpmVersions,
  holdLock: (host, name) => host.holdLock('/var/lib/rpm/.rpm.lock', name),
  moveOn: async (lab, host) => {
    await lab.tell(host, `sed -i 's|${hostArchive}/updates|${hostArchive}/later|' /etc/yum.repos.d/lab.repo`);
  },
});
