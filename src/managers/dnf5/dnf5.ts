import type { PackageManager } from '../contract/package-manager.ts';
import { overRpm } from '../rpm/over-rpm.ts';
import { readDnf5Answer } from './answer.ts';

/** dnf 5 and rpm: Fedora 41 and later. docs/package-managers/dnf5.md. */
export const dnf5: PackageManager = overRpm({
  name: 'dnf5',
  remedies: { simulate: 'dnf5 --assumeno upgrade', repair: 'dnf5 check', clean: 'dnf5 clean packages' },
  readScanAnswer: readDnf5Answer,
  readSimulationAnswer: readDnf5Answer,
});
