// Puts what was measured last, results/*.json, into README.md behind its mark: node bench/readme.ts
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { boundsTable, markdownTable, resultsDir } from './report.ts';
import type { JudgedBound, MachineFacts } from './report.ts';

type Cell = string | number;
type Row = Readonly<Record<string, Cell>>;

interface Result {
  readonly machine: MachineFacts;
  readonly bounds?: readonly JudgedBound[];
  readonly rounds?: number;
  readonly rows?: readonly Row[];
  readonly reports?: readonly Row[];
  readonly verify?: Row;
}

/** What is shown of a result: its rows, and for each column the heading and the key. */
interface Part {
  readonly rows: (result: Result) => readonly Row[];
  readonly columns: Readonly<Record<string, string>>;
}

const mark = '<!-- everything below is written by readme.ts -->';
const costs = { 'CPU ms/host': 'cpuMs', 'wall s': 'wallSec', "hosts' CPU ms/host": 'hostsCpuMs' };

const sections: Readonly<Record<string, readonly Part[]>> = {
  'side-by-side': [
    {
      rows: ({ rows = [] }) => rows,
      columns: {
        work: 'work',
        tool: 'tool',
        'key exchange': 'keyExchange',
        hosts: 'hosts',
        ...costs,
        'peak MiB': 'peakMib',
      },
    },
  ],
  rollout: [{ rows: ({ rows = [] }) => rows, columns: { installing: 'tool', hosts: 'hosts', ...costs } }],
  idle: [],
  scale: [
    {
      rows: ({ rows = [] }) =>
        rows.map((row) => ({ ...row, cpuMs: (Number(row['cpuSec']) * 1_000) / Number(row['hosts']) })),
      columns: {
        hosts: 'hosts',
        'at once': 'concurrency',
        'wall s': 'wallSec',
        'CPU ms/host': 'cpuMs',
        'peak RSS MiB': 'peakRssMib',
        'ledger MiB': 'ledgerMib',
        'loop p99 ms': 'delayP99Ms',
        'loop max ms': 'delayMaxMs',
        'starting, max ms': 'startDelayMaxMs',
      },
    },
  ],
  'start-up': [{ rows: ({ rows = [] }) => rows, columns: { command: 'name', ms: 'ms' } }],
  'first-command': [
    {
      rows: ({ rows = [] }) => rows,
      columns: { tool: 'tool', hosts: 'hosts', 'wall ms': 'wallMs', 'CPU ms': 'cpuMs' },
    },
  ],
  ledger: [
    {
      rows: ({ reports = [], verify }) => [...reports, ...(verify === undefined ? [] : [verify])],
      columns: { command: 'command', 'wall ms': 'wallMs', 'CPU ms': 'cpuMs', 'peak MiB': 'peakMib' },
    },
  ],
  synced: [
    {
      rows: ({ rows = [] }) => rows,
      columns: { host: 'host', 'side effect': 'effect', 'event committed': 'event', 'gap ms': 'gapMs' },
    },
  ],
  winrm: [],
};

function machineWords({ machine, rounds }: Result): string {
  const { cpu, cores, memoryMib, kernel, distribution, node, tools, measuredAt } = machine;
  const versions = Object.entries(tools).map(([name, version]) => `${name}: ${version}`);
  const medians = rounds === undefined ? '' : ` Medians of ${rounds} rounds.`;
  return `${measuredAt.slice(0, 10)}, ${cores} × ${cpu}, ${memoryMib} MiB, Linux ${kernel}, ${distribution}, Node.js ${node}; ${versions.join('; ')}.${medians}`;
}

async function section(name: string, parts: readonly Part[]): Promise<string> {
  const text = await readFile(join(resultsDir, `${name}.json`), 'utf8').catch(() => undefined);
  if (text === undefined) return `## ${name}\n\nNot measured in full yet: \`npm run bench -- ${name}\`.`;
  const result = JSON.parse(text) as Result;
  const tables = parts.map(({ rows, columns }) =>
    markdownTable(
      Object.keys(columns),
      rows(result).map((row) => Object.values(columns).map((key) => row[key] ?? '')),
    ),
  );
  const bounds = result.bounds === undefined ? [] : [boundsTable(result.bounds)];
  return [`## ${name}`, machineWords(result), ...bounds, ...tables].join('\n\n');
}

const path = join(import.meta.dirname, 'README.md');
const [head = ''] = (await readFile(path, 'utf8')).split(mark);
const told = await Promise.all(Object.entries(sections).map(([name, parts]) => section(name, parts)));
await writeFile(path, `${head.trimEnd()}\n\n${mark}\n\n${told.join('\n\n')}\n`);
