// One wave of updates on real hosts: `fettle apply` beside Ansible's apt module, both fetching the package lists first.
//   node bench/rollout.ts [--hosts 20] [--rounds 5]
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startLab } from '../test/lab/lab.ts';
import { missingForLab } from '../test/lab/requirements.ts';
import { run } from '../test/lab/shell.ts';
import { bound, boundsTable, machineFacts, machineTable, markdownTable, median, writeResult } from './report.ts';
import { ansible, fettle, oneWave, writeFiles } from './side-by-side/contestants.ts';
import type { Contestant, Field } from './side-by-side/contestants.ts';
import { measure } from './side-by-side/measure.ts';
import type { Sample } from './side-by-side/measure.ts';

const { values } = parseArgs({
  options: { hosts: { type: 'string', default: '20' }, rounds: { type: 'string', default: '5' } },
});
const hostCount = Number(values.hosts);
const rounds = Number(values.rounds);

type Tool = 'fettle' | 'ansible';

/** The last command is what is measured. */
const commands: Readonly<Record<Tool, (field: Field) => readonly Contestant[]>> = {
  fettle: (field) => [
    fettle(field, { verb: 'plan', words: [`${field.lab.stateDir}/p.yaml`, '--out', `${field.lab.stateDir}/p.json`] }),
    fettle(field, { verb: 'apply', words: [`${field.lab.stateDir}/p.json`] }),
  ],
  ansible: (field) => [
    ansible(field, {
      label: 'apt: upgrade, update_cache',
      words: ['-m', 'apt', '-a', 'upgrade=yes update_cache=yes'],
      keyExchange: 'curve25519',
    }),
  ],
};

/** A host can be patched once only, so each measurement has a fleet of its own. */
async function patchFleet(tool: Tool): Promise<Sample> {
  const names = Array.from({ length: hostCount }, (_, at) => `h${String(at + 1).padStart(3, '0')}`);
  await using lab = await startLab({
    name: `bench-${tool}`,
    hosts: names.map((name) => ({ name, flavour: 'python', packages: ['fettle-app', 'fettle-tool'] })),
  });
  const field: Field = { lab, names, concurrency: 50 };
  await writeFiles(field, [hostCount]);
  await writeFile(`${lab.stateDir}/p.yaml`, oneWave);
  let sample: Sample | undefined;
  for (const contestant of commands[tool](field)) sample = await measure(lab, contestant.command(names));
  if (sample === undefined) throw new Error(`${tool} has no command`);
  return sample;
}

async function main(): Promise<number> {
  const missing = await missingForLab();
  if (missing.length > 0) {
    process.stderr.write(`this benchmark cannot run here: ${missing.join('; ')}\n`);
    return 1;
  }
  await run(['npm', 'run', '-s', 'build']);
  const samples: Record<Tool, Sample[]> = { fettle: [], ansible: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const tool of ['fettle', 'ansible'] as const) {
      process.stderr.write(`round ${round + 1}: ${tool}             \r`);
      samples[tool].push(await patchFleet(tool));
    }
  }
  const rows = (['fettle', 'ansible'] as const).map((tool) => ({
    tool: tool === 'fettle' ? 'fettle apply' : 'Ansible apt: upgrade, update_cache',
    hosts: hostCount,
    wallSec: median(samples[tool].map(({ wallSec }) => wallSec)),
    cpuMs: (median(samples[tool].map(({ controllerCpuSec }) => controllerCpuSec)) / hostCount) * 1_000,
    hostsCpuMs: (median(samples[tool].map(({ hostsCpuSec }) => hostsCpuSec)) / hostCount) * 1_000,
  }));
  const [own, other] = rows;
  const nan = Number.NaN;
  const bounds = [
    bound({
      what: `wall, apply of ${hostCount} hosts in one wave, against Ansible`,
      limit: 1.4,
      value: (own?.wallSec ?? nan) / (other?.wallSec ?? nan),
      unit: '×',
    }),
    bound({
      what: "hosts' CPU, the same",
      limit: 2,
      value: (own?.hostsCpuMs ?? nan) / (other?.hostsCpuMs ?? nan),
      unit: '×',
    }),
  ];
  const machine = await machineFacts();
  const table = markdownTable(
    ['installing', 'hosts', 'wall s', 'CPU ms/host', "hosts' CPU ms/host"],
    rows.map((row) => [row.tool, row.hosts, row.wallSec, row.cpuMs, row.hostsCpuMs]),
  );
  process.stdout.write(`\n${machineTable(machine)}\n\n${table}\n\n${boundsTable(bounds)}\n`);
  await writeResult('rollout', { machine, rounds, rows, bounds });
  return bounds.every(({ met }) => met) ? 0 : 1;
}

process.exitCode = await main();
