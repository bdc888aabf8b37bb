import type { PackageManager } from '../contract/package-manager.ts';
import { softwareManager } from '../windows-software/software-manager.ts';
import { readChocolatey } from './chocolatey-lists.ts';

/** Chocolatey. Packages are named by their ids; a pinned one is held. */
export const chocolatey: PackageManager = softwareManager({
  format: {
    name: 'chocolatey',
    // 2 where a list is empty or something is outdated, if its feature useEnhancedExitCodes is on
    // (github.com/chocolatey/choco/issues/1758).
    wholeLists: [0, 2],
    read: readChocolatey,
  },
  limits: {
    simulation: 'Chocolatey also installs and upgrades what a package depends on, and lists none of that ahead',
    securityClass: 'Chocolatey does not report which updates are security updates',
  },
});
