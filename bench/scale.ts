// Ten thousand hosts: simulated ones, that answer over the real protocol. Needs root for a network of its own.
//   node bench/scale.ts [--hosts 1000,10000] [--concurrency 500]
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { exitCodes } from '../src/domain/exit.ts';
import { encodeRequest, launcher } from '../src/remote/launch.ts';
import { probeScript } from '../src/remote/scripts.ts';
import { bound, boundsTable, machineFacts, machineTable, markdownTable, writeResult } from './report.ts';
import type { Cost } from './scale/watch.ts';

const { values } = parseArgs({
  options: { hosts: { type: 'string', default: '1000,10000' }, concurrency: { type: 'string', default: '500' } },
});
const counts = values.hosts.split(',').map(Number);
const project = join(import.meta.dirname, '..');
const workers = 2;
const firstPort = 2200;

/** Comes back inside a network namespace that has nothing but loopback. */
async function insideOwnNetwork(): Promise<number | undefined> {
  if (process.env['FETTLE_BENCH_NETWORK'] === 'own') return undefined;
  const words = [
    '--net',
    'sh',
    '-c',
    'ip link set lo up && exec "$@"',
    'sh',
    process.execPath,
    ...process.argv.slice(1),
  ];
  const child = spawn('unshare', words, { stdio: 'inherit', env: { ...process.env, FETTLE_BENCH_NETWORK: 'own' } });
  const [code] = (await once(child, 'exit')) as unknown[];
  return typeof code === 'number' ? code : 1;
}

/** The answer of the probe on this machine, under its own account. */
async function takeDownAnswer(directory: string): Promise<{ file: string; bytes: number }> {
  const input = `${encodeRequest({ verb: 'probe' }, 'recorded')}\n${probeScript().text}`;
  const { stdout, status } = spawnSync('sh', ['-c', launcher], { input, maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`the probe of this machine ended with ${status}`);
  const file = join(directory, 'answer');
  await writeFile(file, stdout);
  return { file, bytes: stdout.length };
}

interface Fleet extends AsyncDisposable {
  readonly directory: string;
  readonly inventory: (count: number) => Promise<string>;
  readonly answerBytes: number;
}

async function startFleet(): Promise<Fleet> {
  const directory = await mkdtemp(join(tmpdir(), 'fettle-scale-'));
  for (const name of ['host', 'client']) {
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, name)]);
  }
  // ssh2's server reads PEM.
  spawnSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-m', 'PEM', '-N', '', '-f', join(directory, 'host-ecdsa')]);
  const answer = await takeDownAnswer(directory);
  const children: ChildProcess[] = [];
  for (let index = 0; index < workers; index += 1) {
    const program = join(import.meta.dirname, 'scale/simulated-hosts.ts');
    const words = [program, String(firstPort + index), join(directory, 'host-ecdsa'), answer.file];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    children.push(child);
  }
  const [type = '', key = ''] = (await readFile(join(directory, 'host-ecdsa.pub'), 'utf8')).split(' ');
  return {
    directory,
    answerBytes: answer.bytes,
    inventory: (count) => writeInventory(directory, { count, hostKey: `${type} ${key}` }),
    [Symbol.asyncDispose]: async () => {
      for (const child of children) child.kill('SIGKILL');
      await rm(directory, { recursive: true });
    },
  };
}

async function writeInventory(
  directory: string,
  { count, hostKey }: { count: number; hostKey: string },
): Promise<string> {
  const lines: string[] = [];
  const known: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = `h${String(index + 1).padStart(5, '0')}`;
    const address = `127.${1 + Math.floor(index / 62_500)}.${Math.floor(index / 250) % 250}.${1 + (index % 250)}`;
    const port = firstPort + (index % workers);
    lines.push(`    ${name}: {ansible_host: ${address}, ansible_port: ${port}, ansible_user: ${name}}`);
    known.push(`[${address}]:${port} ${hostKey}`);
  }
  const knownHosts = join(directory, `known-${count}`);
  await writeFile(knownHosts, `${known.join('\n')}\n`);
  const common = `-o UserKnownHostsFile=${knownHosts} -o GlobalKnownHostsFile=/dev/null`;
  const vars = [
    `    ansible_ssh_private_key_file: ${join(directory, 'client')}`,
    `    ansible_ssh_common_args: ${common}`,
    // The hosts share the processors with fettle: a handshake waits for all the others.
    '    ansible_timeout: 60',
  ];
  const file = join(directory, `inventory-${count}.yaml`);
  await writeFile(file, ['all:', '  vars:', ...vars, '  hosts:', ...lines, ''].join('\n'));
  return file;
}

interface ScanRow extends Cost {
  readonly hosts: number;
  readonly concurrency: number;
  readonly wallSec: number;
  readonly ledgerMib: number;
}

interface ScanLine {
  readonly count: number;
  readonly concurrency: number;
}

function startScan(fleet: Fleet, inventory: string, { count, concurrency }: ScanLine): ChildProcess {
  const words = ['--import', join(import.meta.dirname, 'scale/watch.ts'), join(project, 'dist/cli.js')];
  const ledger = join(fleet.directory, `ledger-${count}-${concurrency}.db`);
  const line = [
    'scan',
    '-i',
    inventory,
    '--concurrency',
    String(concurrency),
    '--ledger',
    ledger,
    '--progress',
    'none',
  ];
  return spawn(process.execPath, [...words, ...line], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: fleet.directory,
      FETTLE_BENCH_COST: join(fleet.directory, 'cost'),
      NODE_COMPILE_CACHE: join(fleet.directory, 'compile-cache'),
    },
  });
}

async function measureScan(fleet: Fleet, line: ScanLine): Promise<ScanRow> {
  const { count, concurrency } = line;
  const inventory = await fleet.inventory(count);
  const startedMs = performance.now();
  const child = startScan(fleet, inventory, line);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-2_000)));
  const [code] = (await once(child, 'close')) as unknown[];
  const wallSec = (performance.now() - startedMs) / 1_000;
  if (code !== 0 && code !== 4) throw new Error(`the scan of ${count} hosts ended with ${String(code)}: ${said}`);
  const cost = JSON.parse(await readFile(join(fleet.directory, 'cost'), 'utf8')) as Cost;
  const ledger = join(fleet.directory, `ledger-${count}-${concurrency}.db`);
  const bytes = await Promise.all(
    [ledger, `${ledger}-wal`].map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return {
    hosts: count,
    concurrency,
    wallSec,
    ledgerMib: bytes.reduce((sum, size) => sum + size, 0) / 2 ** 20,
    ...cost,
  };
}

/** How long a Ctrl-C waits for its first word and for the end of the process. Milliseconds. */
interface Interrupt {
  readonly answeredMs: number;
  readonly endedMs: number;
}

const interruptions = 3;

/** In the middle of a scan, `interruptions` times; the slowest counts. */
async function measureInterrupt(fleet: Fleet, line: ScanLine): Promise<Interrupt> {
  const tries: Interrupt[] = [];
  while (tries.length < interruptions) tries.push(await interruptOnce(fleet, line));
  return {
    answeredMs: Math.max(...tries.map(({ answeredMs }) => answeredMs)),
    endedMs: Math.max(...tries.map(({ endedMs }) => endedMs)),
  };
}

async function interruptOnce(fleet: Fleet, line: ScanLine): Promise<Interrupt> {
  const child = startScan(fleet, await fleet.inventory(line.count), line);
  await sleep(6_000);
  let answeredMs: number | undefined;
  const sentMs = performance.now();
  child.stderr?.on('data', () => (answeredMs ??= performance.now() - sentMs));
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as unknown[];
  if (code !== exitCodes.interrupted || answeredMs === undefined) {
    throw new Error(`the interrupted scan of ${line.count} hosts ended with ${String(code)}`);
  }
  return { answeredMs, endedMs: performance.now() - sentMs };
}

async function main(): Promise<number> {
  const elsewhere = await insideOwnNetwork();
  if (elsewhere !== undefined) return elsewhere;
  spawnSync('npm', ['run', '-s', 'build'], { cwd: project, stdio: 'inherit' });
  await using fleet = await startFleet();
  const concurrency = Number(values.concurrency);
  await measureScan(fleet, { count: 20, concurrency: 20 });
  const rows: ScanRow[] = [];
  for (const line of [{ count: 200, concurrency: 50 }, ...counts.map((count) => ({ count, concurrency }))]) {
    process.stderr.write(`scanning ${line.count} hosts, ${line.concurrency} at once\n`);
    rows.push(await measureScan(fleet, line));
  }
  const interrupt = await measureInterrupt(fleet, { count: Math.max(...counts), concurrency });
  const [small, large] = [rows.at(1), rows.at(-1)];
  const [smallHosts, largeHosts] = [small?.hosts ?? Number.NaN, large?.hosts ?? Number.NaN];
  const growthKib = (((large?.peakRssMib ?? Number.NaN) - (small?.peakRssMib ?? 0)) * 1024) / (largeHosts - smallHosts);
  const cpuRatio = (large?.cpuSec ?? Number.NaN) / largeHosts / ((small?.cpuSec ?? Number.NaN) / smallHosts);
  const bounds = [
    bound({
      what: `peak RSS, scan of ${largeHosts} hosts, ${concurrency} at once`,
      limit: 700,
      value: large?.peakRssMib ?? Number.NaN,
      unit: 'MiB',
    }),
    bound({
      what: `growth of peak RSS from ${smallHosts} to ${largeHosts} hosts`,
      limit: 20,
      value: growthKib,
      unit: 'KiB a host',
    }),
    bound({ what: `CPU per host at ${largeHosts} against ${smallHosts}`, limit: 1.1, value: cpuRatio, unit: '×' }),
    bound({
      what: 'event-loop delay p99, scan of 200 hosts',
      limit: 50,
      value: rows[0]?.delayP99Ms ?? Number.NaN,
      unit: 'ms',
    }),
  ];
  const table = markdownTable(
    [
      'hosts',
      'at once',
      'CPU ms/host',
      'wall s',
      'peak RSS MiB',
      'ledger KiB/host',
      'loop delay p99 ms',
      'max ms',
      'starting ms',
    ],
    rows.map((row) => [
      ...[row.hosts, row.concurrency, (row.cpuSec / row.hosts) * 1_000, row.wallSec, row.peakRssMib],
      ...[(row.ledgerMib * 1024) / row.hosts, row.delayP99Ms, row.delayMaxMs, row.startDelayMaxMs],
    ]),
  );
  const machine = await machineFacts();
  const notes = `An answer has ${(fleet.answerBytes / 1024).toFixed(0)} KiB. Ctrl-C in the middle of ${largeHosts} hosts, the slowest of ${interruptions}: answered after ${interrupt.answeredMs.toFixed(0)} ms, ended after ${(interrupt.endedMs / 1_000).toFixed(1)} s.`;
  process.stdout.write(`\n${machineTable(machine)}\n\n${table}\n\n${notes}\n\n${boundsTable(bounds)}\n`);
  await writeResult('scale', { machine, answerBytes: fleet.answerBytes, rows, interrupt, bounds });
  return bounds.every(({ met }) => met) ? 0 : 1;
}

process.exitCode = await main();
