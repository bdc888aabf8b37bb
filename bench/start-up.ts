// How long a command takes that contacts no host, beside Node's own empty start.
//   node bench/start-up.ts [--rounds 21]
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bound, boundsTable, machineFacts, machineTable, markdownTable, median, writeResult } from './report.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '21' } } });
const project = join(import.meta.dirname, '..');
const fettle = join(project, 'dist/cli.js');
const inventory = join(project, 'inventories/example.yaml');

const contestants: Readonly<Record<string, readonly string[]>> = {
  'node, empty': ['-e', '0'],
  'fettle --help': [fettle, '--help'],
  'fettle version': [fettle, 'version'],
  'fettle inventory list': [fettle, 'inventory', 'list', '-i', inventory],
};

function timeMs(words: readonly string[], env: Readonly<Record<string, string>>): number {
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, words, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - startedMs;
}

async function main(): Promise<number> {
  spawnSync('npm', ['run', '-s', 'build'], { cwd: project, stdio: 'inherit' });
  const home = await mkdtemp(join(tmpdir(), 'fettle-start-'));
  const env = { PATH: process.env['PATH'] ?? '', HOME: home };
  const samples = new Map<string, number[]>(Object.keys(contestants).map((name) => [name, []]));
  try {
    // The first two rounds fill the compile cache, as the first start of an installed fettle does.
    for (let round = -2; round < Number(values.rounds); round += 1) {
      for (const [name, words] of Object.entries(contestants)) {
        const tookMs = timeMs(words, env);
        if (round >= 0) samples.get(name)?.push(tookMs);
      }
    }
  } finally {
    await rm(home, { recursive: true });
  }
  const rows = [...samples].map(([name, times]) => ({ name, ms: median(times) }));
  const emptyMs = rows[0]?.ms ?? Number.NaN;
  const bounds = rows
    .slice(1, 3)
    .map(({ name, ms }) =>
      bound({ what: `${name} beyond Node's empty start`, limit: 100, value: ms - emptyMs, unit: 'ms' }),
    );
  const machine = await machineFacts();
  const table = markdownTable(
    ['start', 'ms', 'beyond empty'],
    rows.map(({ name, ms }) => [name, ms, ms - emptyMs]),
  );
  process.stdout.write(`\n${machineTable(machine)}\n\n${table}\n\n${boundsTable(bounds)}\n`);
  await writeResult('start-up', { machine, rows, bounds });
  return bounds.every(({ met }) => met) ? 0 : 1;
}

process.exitCode = await main();
