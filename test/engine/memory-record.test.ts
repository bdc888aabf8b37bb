import { describeLeases } from '../contract/leases.ts';
import { describeLedgerReader } from '../contract/ledger-reader.ts';
import { describeRunRecord } from '../contract/run-record.ts';
import { MemoryLedger } from '../support/memory-ledger.ts';
import { MemoryRecord } from '../support/memory-record.ts';

const kind = 'the double of the ledger';
const nothing = async (): Promise<void> => undefined;

describeLeases(kind, async () => ({ record: new MemoryRecord(), [Symbol.asyncDispose]: nothing }));
describeRunRecord(kind, async () => ({ record: new MemoryRecord(), [Symbol.asyncDispose]: nothing }));
describeLedgerReader(kind, async (clock) => ({ ledger: new MemoryLedger(clock), [Symbol.asyncDispose]: nothing }));
