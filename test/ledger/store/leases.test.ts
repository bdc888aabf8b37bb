import { describeLeases } from '../../contract/leases.ts';
import { openAt, temporaryDirectory } from '../fixtures.ts';

describeLeases('the ledger', async () => {
  const directory = await temporaryDirectory();
  const record = await openAt(directory.path);
  return {
    record,
    [Symbol.asyncDispose]: async () => {
      await record[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
});
