import type { PackageManager } from '../contract/package-manager.ts';
import { overRpm } from '../rpm/over-rpm.ts';
import { readScanAnswer, readSimulationAnswer } from './answer.ts';

/** zypper and rpm: SUSE Linux Enterprise and openSUSE. docs/package-managers/zypper.md. */
export const zypper: PackageManager = overRpm({
  name: 'zypper',
  remedies: { simulate: 'zypper update --dry-run', repair: 'zypper verify', clean: 'zypper clean' },
  readScanAnswer,
  readSimulationAnswer,
});
