import { describeLeases } from '../contract/leases.ts';
import { MemoryRecord } from '../support/memory-record.ts';

describeLeases('the double of the ledger', async () => ({
  record: new MemoryRecord(),
  [Symbol.asyncDispose]: async () => undefined,
}));
