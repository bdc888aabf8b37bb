import type { Clock } from '../../src/base/clock.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { describeLeases } from '../contract/leases.ts';
import { describeLedgerReader } from '../contract/ledger-reader.ts';
import { describeRunRecord } from '../contract/run-record.ts';
import { openAt, temporaryDirectory } from './fixtures.ts';

async function open(clock?: Clock): Promise<{ readonly record: Ledger; readonly ledger: Ledger } & AsyncDisposable> {
  const directory = await temporaryDirectory();
  const ledger = await openAt(directory.path, clock);
  return {
    record: ledger,
    ledger,
    [Symbol.asyncDispose]: async () => {
      await ledger[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

const kind = 'the ledger on SQLite';
describeLeases(kind, () => open());
describeRunRecord(kind, () => open());
describeLedgerReader(kind, open);
