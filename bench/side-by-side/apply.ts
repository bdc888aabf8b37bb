// Installing: a fleet can be patched once only, so every round has fleets of its own.
import { writeFile } from 'node:fs/promises';
import { startLab } from '../../test/lab/lab.ts';
import { markdownTable, median } from '../report.ts';
import { ansible, fettle, writeFiles } from './contestants.ts';
import type { Contestant, Field } from './contestants.ts';
import { measure } from './measure.ts';

interface ApplyRow {
  readonly tool: string;
  readonly hosts: number;
  readonly cpuMs: number;
  readonly wallSec: number;
  readonly hostsCpuMs: number;
}

/** One wave, everything at once, no reboot: what the other tool does. fettle also looks before and verifies after. */
export const playbook = `kind: patch
version: 1
name: bench
targets: { select: all }
rollout: { concurrency: 50, waves: [rest] }
reboot: never
verify: { retries: 0 }
`;

const tools: readonly ((field: Field) => readonly Contestant[])[] = [
  (field) => [
    fettle(field, { verb: 'plan', words: [`${field.lab.stateDir}/p.yaml`, '--out', `${field.lab.stateDir}/p.json`] }),
    fettle(field, { verb: 'apply', words: [`${field.lab.stateDir}/p.json`, '--yes'] }),
  ],
  (field) => [
    ansible(field, { label: 'apt upgrade', words: ['-m', 'apt', '-a', 'upgrade=yes'], keyExchange: 'curve25519' }),
  ],
];

export async function applySideBySide(
  count: number,
  rounds: number,
): Promise<{ readonly rows: readonly ApplyRow[]; readonly table: string }> {
  const costs = new Map<string, { cpu: number[]; wall: number[]; hosts: number[] }>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, make] of tools.entries()) {
      const names = Array.from({ length: count }, (_, at) => `h${String(at + 1).padStart(3, '0')}`);
      await using lab = await startLab({
        name: `bench-apply${index}`,
        hosts: names.map((name) => ({ name, flavour: 'python', packages: ['fettle-app', 'fettle-tool'] })),
      });
      const field: Field = { lab, names, concurrency: 50 };
      await writeFiles(field, [count]);
      await writeFile(`${lab.stateDir}/p.yaml`, playbook);
      for (const contestant of make(field)) {
        process.stderr.write(`apply, round ${round + 1}: ${contestant.tool}             \r`);
        const sample = await measure(lab, contestant.command(names));
        const own = costs.get(contestant.tool) ?? { cpu: [], wall: [], hosts: [] };
        costs.set(contestant.tool, own);
        own.cpu.push(sample.controllerCpuSec);
        own.wall.push(sample.wallSec);
        own.hosts.push(sample.hostsCpuSec);
      }
    }
  }
  const rows = [...costs].map(([tool, { cpu, wall, hosts }]) => ({
    tool,
    hosts: count,
    cpuMs: (median(cpu) / count) * 1_000,
    wallSec: median(wall),
    hostsCpuMs: (median(hosts) / count) * 1_000,
  }));
  const table = markdownTable(
    ['installing', 'hosts', 'CPU ms/host', 'wall s', "hosts' CPU ms/host"],
    rows.map((row) => [row.tool, row.hosts, row.cpuMs, row.wallSec, row.hostsCpuMs]),
  );
  return { rows, table };
}
