import { chocolatey } from '../../../src/managers/chocolatey/chocolatey.ts';
import { softwareRig } from '../windows-software/software-rig.ts';

/** @public The contract suite imports it by its path. */
export const rig = softwareRig(chocolatey, { installed: 'git|2.40.0\r\n', outdated: 'git|2.40.0|2.41.0|false\r\n' });
