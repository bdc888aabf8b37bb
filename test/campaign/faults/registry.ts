import type { Fault } from '../fault.ts';
import { controllerFaults } from './controller.ts';
import { diskFaults } from './disk.ts';
import { hostFaults } from './host.ts';
import { ledgerFaults } from './ledger.ts';
import { lies } from './lies.ts';
import { networkFaults } from './network.ts';
import { packageFaults } from './packages.ts';
import { startingFaults } from './starting.ts';

export const faults: readonly Fault[] = [
  ...controllerFaults,
  ...networkFaults,
  ...hostFaults,
  ...diskFaults,
  ...packageFaults,
  ...ledgerFaults,
  ...lies,
  ...startingFaults,
];
