import type { PackageManager } from '../contract/package-manager.ts';
import { softwareManager } from '../windows-software/software-manager.ts';
import { readWinget } from './winget-lists.ts';

/** winget. Packages are named by their ids; it also lists programs that others installed. */
export const winget: PackageManager = softwareManager({
  format: {
    name: 'winget',
    // APPINSTALLER_CLI_ERROR_NO_APPLICATIONS_FOUND and _UPDATE_NOT_APPLICABLE where there is nothing to list
    // (doc/windows/package-manager/winget/returnCodes.md of github.com/microsoft/winget-cli).
    wholeLists: [0, 0x8a15_0014, 0x8a15_002b],
    read: readWinget,
  },
  limits: {
    simulation: 'winget also installs what a package depends on, and lists none of that ahead',
    securityClass: 'winget does not report which updates are security updates',
  },
  listsForeign: true,
});
