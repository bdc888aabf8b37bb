import type { PackageManager } from '../contract/package-manager.ts';
import { overRpm } from '../rpm/over-rpm.ts';
import { readDnfAnswer } from './answer.ts';

/** dnf 4 and rpm: Red Hat Enterprise Linux 8 and 9 and their kin. docs/package-managers/dnf.md. */
export const dnf: PackageManager = overRpm({
  name: 'dnf',
  remedies: { simulate: 'dnf --assumeno upgrade', repair: 'dnf check', clean: 'dnf clean packages' },
  readScanAnswer: readDnfAnswer,
  readSimulationAnswer: readDnfAnswer,
});
