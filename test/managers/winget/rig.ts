import { winget } from '../../../src/managers/winget/winget.ts';
import { softwareRig } from '../windows-software/software-rig.ts';

const table = [
  'Name     Id               Version  Available Source',
  '----------------------------------------------------',
  'Firefox  Mozilla.Firefox  130.0    131.0.2   winget',
].join('\r\n');

/** @public The contract suite imports it by its path. */
export const rig = softwareRig(winget, { installed: table, outdated: table });
