// Appends events one commit at a time: node test/ledger/writer.ts FILE NAME COUNT
import { systemClock } from '../../src/base/clock.ts';
import { openLedger } from '../../src/ledger/ledger.ts';

const [path = '', name = '', count = '0'] = process.argv.slice(2);
await using ledger = await openLedger({ path, clock: systemClock });
for (let index = 0; index < Number(count); index += 1) {
  await ledger.append([{ type: 'note', level: 'info', message: `${name} ${index}` }]);
}
