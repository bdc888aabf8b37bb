// fettle beside the tools people use today, on the same real hosts, interleaved in one run. Needs root.
//   node bench/side-by-side.ts [--hosts 10,50,200] [--rounds 5] [--short]
// `--short` measures beyond 50 hosts only what the bounds compare.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startLab } from '../test/lab/lab.ts';
import { missingForLab } from '../test/lab/requirements.ts';
import { run } from '../test/lab/shell.ts';
import { ansible, fettle, oneWave, probeCommand, shellTools, writeFiles } from './side-by-side/contestants.ts';
import type { Contestant, Field } from './side-by-side/contestants.ts';
import { measure, peakMemoryMib } from './side-by-side/measure.ts';
import type { Sample } from './side-by-side/measure.ts';
import { bound, boundsTable, machineFacts, machineTable, markdownTable, median, writeResult } from './report.ts';
import type { JudgedBound } from './report.ts';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '10,50,200' },
    rounds: { type: 'string', default: '5' },
    short: { type: 'boolean', default: false },
  },
});
const counts = values.hosts.split(',').map(Number);
const rounds = Number(values.rounds);
const largest = Math.max(...counts);

interface Row {
  readonly work: string;
  readonly tool: string;
  readonly keyExchange: string;
  readonly hosts: number;
  /** Medians. Milliseconds a host, seconds, MiB. */
  readonly cpuMs: number;
  readonly wallSec: number;
  readonly hostsCpuMs: number;
  readonly peakMib: number;
}

interface Work {
  readonly name: string;
  readonly contestants: readonly Contestant[];
}

/** Whether a bound needs this contestant at the largest number of hosts. */
function isJudged({ tool, keyExchange }: Contestant): boolean {
  if (tool.startsWith('fettle')) return tool !== 'fettle ping' && !tool.startsWith('fettle plan');
  // Ansible costs least where its connections are open already.
  if (tool.startsWith('Ansible')) return tool.endsWith('ControlPersist');
  return tool === 'xargs -P, ssh' || (tool === 'pdsh' && keyExchange === 'curve25519');
}

function worksFor(field: Field, count: number): readonly Work[] {
  const works = allWorksFor(field, count);
  if (!values.short || count <= 50) return works;
  return works.map(({ name, contestants }) => ({ name, contestants: contestants.filter(isJudged) }));
}

/** As installed is shown up to 50 hosts, and at any number for the simplest tool; the costs a host do not change. */
function allWorksFor(field: Field, count: number): readonly Work[] {
  const stock = shellTools(field, 'true', 'as installed');
  const isLarge = count > 50;
  const nothing = ['-m', 'command', '-a', 'true', '-e', 'ansible_become=false'];
  const check = ['-C', '-m', 'apt', '-a', 'upgrade=yes'];
  const plain = ['-e', 'ansible_become=false'];
  const pinned = { keyExchange: 'curve25519' } as const;
  return [
    {
      name: 'true',
      contestants: [
        fettle(field, { verb: 'exec', words: plain, last: ['--', 'true'] }),
        fettle(field, { verb: 'ping', words: plain }),
        ...shellTools(field, 'true', 'curve25519'),
        ...(isLarge ? stock.slice(0, 1) : stock),
        ansible(field, { label: 'raw', words: ['-m', 'raw', '-a', 'true', ...plain], ...pinned }),
        ansible(field, { label: 'command', words: nothing, ...pinned }),
        ansible(field, { label: 'command', words: nothing, ...pinned, isPersistent: true }),
        ...(isLarge ? [] : [ansible(field, { label: 'command', words: nothing, keyExchange: 'as installed' })]),
      ],
    },
    {
      name: 'what is missing',
      contestants: [
        fettle(field, { verb: 'scan' }),
        fettle(field, { verb: 'plan', words: [`${field.lab.stateDir}/bench-playbook.yaml`, '--no-refresh'] }),
        ...shellTools(field, probeCommand(), 'curve25519').slice(0, isLarge ? 2 : 4),
        ansible(field, { label: 'apt, check mode', words: check, ...pinned }),
        ansible(field, { label: 'apt, check mode', words: check, ...pinned, isPersistent: true }),
        ...(isLarge ? [] : [ansible(field, { label: 'apt, check mode', words: check, keyExchange: 'as installed' })]),
      ],
    },
  ];
}

async function measureWork(field: Field, work: Work, count: number): Promise<readonly Row[]> {
  const names = field.names.slice(0, count);
  const samples = new Map<Contestant, Sample[]>(work.contestants.map((contestant) => [contestant, []]));
  // Round 0 warms caches and connections, and is where memory is measured.
  const peaks = new Map<Contestant, number>();
  for (let round = 0; round <= rounds; round += 1) {
    for (const contestant of work.contestants) {
      const command = contestant.command(names);
      const label = `${contestant.tool} (${contestant.keyExchange})`;
      process.stderr.write(`${count} hosts, ${work.name}, round ${round}: ${label}          \r`);
      if (round === 0) peaks.set(contestant, await peakMemoryMib(field.lab, command));
      else samples.get(contestant)?.push(await measure(field.lab, command));
    }
  }
  return work.contestants.map((contestant) => {
    const own = samples.get(contestant) ?? [];
    return {
      work: work.name,
      tool: contestant.tool,
      keyExchange: contestant.keyExchange,
      hosts: count,
      cpuMs: (median(own.map((sample) => sample.controllerCpuSec)) / count) * 1_000,
      wallSec: median(own.map((sample) => sample.wallSec)),
      hostsCpuMs: (median(own.map((sample) => sample.hostsCpuSec)) / count) * 1_000,
      peakMib: peaks.get(contestant) ?? Number.NaN,
    };
  });
}

function find(rows: readonly Row[], tool: string, hosts: number, keyExchange?: string): Row | undefined {
  return rows.find(
    (row) => row.tool === tool && row.hosts === hosts && (keyExchange === undefined || row.keyExchange === keyExchange),
  );
}

/** What one more host costs: the difference between two fleets, so that start-up falls out. Milliseconds. */
function marginalMs(rows: readonly Row[], tool: string, keyExchange?: string): number {
  const small = Math.min(...counts);
  const [few, many] = [find(rows, tool, small, keyExchange), find(rows, tool, largest, keyExchange)];
  if (few === undefined || many === undefined || small === largest) return many?.cpuMs ?? Number.NaN;
  const ms = (many.cpuMs * largest - few.cpuMs * small) / (largest - small);
  // One more host costs something: a result that denies it was disturbed, and proves nothing.
  return ms > 0 ? ms : Number.NaN;
}

/** The probe by pdsh and the scan by fettle are the same script on the same hosts, as many at once. */
function judge(rows: readonly Row[]): readonly JudgedBound[] {
  const fettleMs = marginalMs(rows, 'fettle exec true');
  const scans = rows.filter((row) => row.tool.startsWith('Ansible apt') && row.hosts === largest);
  const bestAnsibleMs = Math.min(...scans.map((row) => row.cpuMs));
  const scan = find(rows, 'fettle scan', largest);
  const pdsh = rows.find((row) => row.work !== 'true' && row.tool === 'pdsh' && row.hosts === largest);
  const nan = Number.NaN;
  return [
    bound({
      what: 'controller CPU per host, exec true beyond start-up, against xargs and ssh, curve25519',
      limit: 0.45,
      value: fettleMs / marginalMs(rows, 'xargs -P, ssh', 'curve25519'),
      unit: '×',
    }),
    bound({
      what: 'the same as installed',
      limit: 0.08,
      value: fettleMs / marginalMs(rows, 'xargs -P, ssh', 'as installed'),
      unit: '×',
    }),
    bound({
      what: "controller CPU per host, scan into the ledger, against Ansible's best check for upgrades",
      limit: 1 / 15,
      value: (scan?.cpuMs ?? nan) / bestAnsibleMs,
      unit: '×',
    }),
    bound({
      what: `wall, scan of ${largest} hosts, against pdsh with the same probe`,
      limit: 1.1,
      value: (scan?.wallSec ?? nan) / (pdsh?.wallSec ?? nan),
      unit: '×',
    }),
  ];
}

async function main(): Promise<number> {
  const missing = await missingForLab();
  if (missing.length > 0) {
    process.stderr.write(`this benchmark cannot run here: ${missing.join('; ')}\n`);
    return 1;
  }
  await run(['npm', 'run', '-s', 'build']);
  const names = Array.from({ length: largest }, (_, index) => `h${String(index + 1).padStart(3, '0')}`);
  const packages = ['fettle-app', 'fettle-tool'];
  await using lab = await startLab({
    name: 'bench',
    hosts: names.map((name) => ({ name, flavour: 'python', packages, diskMib: 128 })),
  });
  const field: Field = { lab, names, concurrency: 50 };
  await writeFiles(field, counts);
  await writeFile(`${lab.stateDir}/bench-playbook.yaml`, oneWave);
  const rows: Row[] = [];
  for (const count of counts)
    for (const work of worksFor(field, count)) rows.push(...(await measureWork(field, work, count)));
  await lab[Symbol.asyncDispose]();
  const bounds = judge(rows);
  const machine = await machineFacts();
  const table = markdownTable(
    ['work', 'tool', 'key exchange', 'hosts', 'CPU ms/host', 'wall s', "hosts' CPU ms/host", 'peak MiB'],
    rows.map((row) => [
      ...[row.work, row.tool, row.keyExchange, row.hosts, row.cpuMs, row.wallSec, row.hostsCpuMs],
      row.peakMib,
    ]),
  );
  process.stdout.write(`\n${machineTable(machine)}\n\n${table}\n\n${boundsTable(bounds)}\n`);
  await writeResult('side-by-side', { machine, rounds, rows, bounds });
  return bounds.every(({ met }) => met) ? 0 : 1;
}

process.exitCode = await main();
