// How long one command takes on one host and on twenty, from the start of the program to its end, beside ssh and pdsh. The hosts are
// real sshds on loopback, which share the machine with what is measured.
//   node bench/first-command.ts [--rounds 15]
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loginName, Sshd } from '../test/support/sshd.ts';
import { bound, boundsTable, machineFacts, machineTable, markdownTable, median, writeResult } from './report.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
const project = join(import.meta.dirname, '..');
const hostCount = 20;

interface Contestant {
  readonly tool: string;
  readonly hosts: number;
  readonly words: readonly string[];
}

interface Sample {
  readonly wallSec: number;
  /** User and system time of the program and of the programs it started. */
  readonly cpuSec: number;
}

function measure({ tool, words }: Contestant, env: Readonly<Record<string, string>>): Sample {
  const timed = ['-c', 'TIMEFORMAT="%R %U %S"; { time "$@" 2>&3; } 3>/dev/null', 'bash', ...words];
  const { status, stderr } = spawnSync('bash', timed, { env, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  const [wall = Number.NaN, user = Number.NaN, system = Number.NaN] = stderr.trim().split(' ').map(Number);
  if (status !== 0 || Number.isNaN(system)) throw new Error(`${tool} ended with ${status}: ${stderr}`);
  return { wallSec: wall, cpuSec: user + system };
}

/** Every host has a port of its own. The key exchange is the one that fettle negotiates: newer ones cost ssh far more. */
async function writeSettings(home: string, sshds: readonly Sshd[]): Promise<readonly string[]> {
  const names = sshds.map((_, at) => `h${String(at + 1).padStart(2, '0')}`);
  const blocks = sshds.map(
    ({ port, dir, clientKey }, at) =>
      `Host ${names[at]}\n  HostName 127.0.0.1\n  Port ${port}\n  IdentityFile ${clientKey.file}\n  UserKnownHostsFile ${join(dir, 'known_hosts')}\n`,
  );
  const common = `Host *\n  User ${loginName}\n  IdentitiesOnly yes\n  GlobalKnownHostsFile /dev/null\n  BatchMode yes\n  StrictHostKeyChecking yes\n  KexAlgorithms curve25519-sha256\n`;
  await writeFile(join(home, 'ssh_config'), `${blocks.join('')}${common}`);
  const known = await Promise.all(sshds.map(({ dir }) => readFile(join(dir, 'known_hosts'), 'utf8')));
  await writeFile(join(home, 'known_hosts'), known.join(''));
  const hosts = sshds.map(
    ({ port, clientKey }, at) =>
      `    ${names[at]}: { ansible_host: 127.0.0.1, ansible_port: ${port}, ansible_ssh_private_key_file: ${clientKey.file} }\n`,
  );
  const words = `-o UserKnownHostsFile=${join(home, 'known_hosts')} -o GlobalKnownHostsFile=/dev/null`;
  await writeFile(
    join(home, 'inventory.yaml'),
    `all:\n  vars: { ansible_user: ${loginName}, ansible_ssh_common_args: '${words}' }\n  hosts:\n${hosts.join('')}`,
  );
  return names;
}

function contestantsFor(home: string, names: readonly string[]): readonly Contestant[] {
  const config = join(home, 'ssh_config');
  const fettle = (limit: string): readonly string[] => [
    ...[process.execPath, join(project, 'dist/cli.js'), 'exec', '-q', '-i', join(home, 'inventory.yaml')],
    ...['--limit', limit, '--concurrency', String(hostCount), '--', 'true'],
  ];
  const loop = `for host in ${names.join(' ')}; do ssh -F ${config} "$host" true & done; wait`;
  const isPdsh = spawnSync('pdsh', ['-V']).error === undefined;
  return [
    { tool: 'ssh', hosts: 1, words: ['ssh', '-F', config, names[0] ?? '', 'true'] },
    { tool: 'fettle exec true', hosts: 1, words: fettle(names[0] ?? '') },
    isPdsh
      ? {
          tool: 'pdsh',
          hosts: hostCount,
          words: ['pdsh', '-R', 'ssh', '-S', '-f', String(hostCount), '-w', names.join(','), 'true'],
        }
      : { tool: 'ssh, all in the background', hosts: hostCount, words: ['sh', '-c', loop] },
    { tool: 'fettle exec true', hosts: hostCount, words: fettle('all') },
  ];
}

async function main(): Promise<number> {
  spawnSync('npm', ['run', '-s', 'build'], { cwd: project, stdio: 'inherit' });
  const home = await mkdtemp(join(tmpdir(), 'fettle-first-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(home, { recursive: true }));
  const sshds: Sshd[] = [];
  for (let at = 0; at < hostCount; at += 1) sshds.push(stack.use(await Sshd.start()));
  const names = await writeSettings(home, sshds);
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    FETTLE_LEDGER: join(home, 'ledger.db'),
    PDSH_SSH_ARGS: `-F ${join(home, 'ssh_config')} -x -a -l ${loginName} %h`,
  };
  const contestants = contestantsFor(home, names);
  const samples = contestants.map((): Sample[] => []);
  // The first two rounds fill the cache of compiled code, as the first start of an installed fettle does.
  for (let round = -2; round < Number(values.rounds); round += 1) {
    for (const [at, contestant] of contestants.entries()) {
      const sample = measure(contestant, env);
      if (round >= 0) samples[at]?.push(sample);
    }
  }
  const rows = contestants.map(({ tool, hosts }, at) => ({
    tool,
    hosts,
    wallMs: median((samples[at] ?? []).map(({ wallSec }) => wallSec)) * 1_000,
    cpuMs: median((samples[at] ?? []).map(({ cpuSec }) => cpuSec)) * 1_000,
  }));
  const [ssh, one, many, twenty] = rows;
  const nan = Number.NaN;
  const ratio = (what: string, limit: number, value: number) => bound({ what, limit, value, unit: '×' });
  const bounds = [
    ratio('wall, exec true on one host, against ssh', 2.2, (one?.wallMs ?? nan) / (ssh?.wallMs ?? nan)),
    ratio(
      `wall, exec true on ${hostCount} hosts, against ${many?.tool}`,
      1.3,
      (twenty?.wallMs ?? nan) / (many?.wallMs ?? nan),
    ),
    ratio(
      `CPU, exec true on ${hostCount} hosts, against ${many?.tool}`,
      1.5,
      (twenty?.cpuMs ?? nan) / (many?.cpuMs ?? nan),
    ),
  ];
  const machine = await machineFacts();
  const table = markdownTable(
    ['tool', 'hosts', 'wall ms', 'CPU ms'],
    rows.map(({ tool, hosts, wallMs, cpuMs }) => [tool, hosts, wallMs, cpuMs]),
  );
  process.stdout.write(`\n${machineTable(machine)}\n\n${table}\n\n${boundsTable(bounds)}\n`);
  await writeResult('first-command', { machine, rounds: Number(values.rounds), rows, bounds });
  return bounds.every(({ met }) => met) ? 0 : 1;
}

process.exitCode = await main();
