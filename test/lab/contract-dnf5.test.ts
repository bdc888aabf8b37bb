import { contractOf } from './contract/contract.ts';
import { whyNotBuilt } from './prepare.ts';
import { hostArchive, rpmVersions } from './rpm/dnf-system.ts';

contractOf({
  manager: 'dnf5',
  // Debian has it in unstable alone: a day on which that cannot be installed is no failure of ours.
  missing: await whyNotBuilt('dnf5'),
  host: (packages) => ({ flavour: 'dnf5', packages }),
  version: (version) => `${version}-1.el9`,
  installed: rpmVersions,
  holdLock: (host, name) => host.holdLock('/var/lib/rpm/.rpm.lock', name),
  moveOn: async (lab, host) => {
    await lab.tell(host, `sed -i 's|${hostArchive}/updates|${hostArchive}/later|' /etc/yum.repos.d/lab.repo`);
  },
});
