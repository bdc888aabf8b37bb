// What a rollout itself costs the controller: the whole engine over hosts that answer at once and a record in memory.
//   node bench/apply.ts [--hosts 1000,10000]
import { parseArgs } from 'node:util';
import { FakeFleet } from '../test/support/fake-fleet.ts';
import { planOf } from '../test/support/rollout-fixture.ts';
import { bound, boundsTable, machineFacts, machineTable, markdownTable, writeResult } from './report.ts';

const { values } = parseArgs({ options: { hosts: { type: 'string', default: '1000,10000' } } });
const sizes = values.hosts.split(',').map(Number);

/** One wave, twenty hosts at once, five of one update server. */
async function measure(hosts: number): Promise<{ readonly hosts: number; readonly cpuSec: number }> {
  const names = Array.from({ length: hosts }, (_, index) => `h${index}`);
  const fleet = new FakeFleet(names);
  const plan = planOf([names], { perSource: 5, concurrency: 20 });
  const ofOneServer = plan.hosts.map((hostPlan) => ({ ...hostPlan, source: 'http://wsus:8530' }));
  const before = process.cpuUsage();
  const { counts } = await fleet.apply({ ...plan, hosts: ofOneServer });
  const { user, system } = process.cpuUsage(before);
  if (counts['verified'] !== hosts) throw new Error(`not every host was verified: ${JSON.stringify(counts)}`);
  return { hosts, cpuSec: (user + system) / 1e6 };
}

const rows: Awaited<ReturnType<typeof measure>>[] = [];
for (const size of sizes) rows.push(await measure(size));
const [least, most] = [rows[0], rows.at(-1)];
const share = (row: typeof least): number => (row === undefined ? Number.NaN : row.cpuSec / row.hosts);
const bounds = [
  bound({ what: 'CPU a host, most hosts against least', limit: 1.5, value: share(most) / share(least), unit: '×' }),
];
const machine = await machineFacts();
const body = rows.map((row) => [row.hosts, row.cpuSec, share(row) * 1e3]);
const table = markdownTable(['hosts', 'CPU s', 'CPU ms/host'], body);
process.stdout.write(`${machineTable(machine)}\n\n${table}\n\n${boundsTable(bounds)}\n`);
await writeResult('apply', { machine, rows, bounds });
if (bounds.some((item) => !item.met)) process.exitCode = 1;
