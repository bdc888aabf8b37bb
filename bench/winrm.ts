// WinRM: round trips to a host far away, the cost of a sealed message, two hundred hosts at once. Needs the .NET SDK.
//   node bench/winrm.ts [--hosts 200]
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hasDotnet } from '../test/support/windows/engine.ts';
import { startWindowsFleet } from '../test/support/windows/fleet.ts';
import { bound, boundsTable, machineFacts, machineTable, markdownTable, median, writeResult } from './report.ts';
import { measureFleet } from './winrm/fleet.ts';
import { takeDownAnswer } from './winrm/lab-host.ts';
import { measureMessages } from './winrm/messages.ts';
import { measureCommand, measureScan, type RoundTrips } from './winrm/round-trips.ts';

const { values } = parseArgs({ options: { hosts: { type: 'string', default: '200' } } });
const hosts = Number(values.hosts);
const project = join(import.meta.dirname, '..');
const cli = join(project, 'dist/cli.js');

/** How far the number derived from the delay may be from the number counted. */
const tolerance = 0.5;

function difference({ login, requests, polls, byDelay }: RoundTrips): number {
  return Math.abs(byDelay - (login + requests + polls));
}

async function main(): Promise<number> {
  if (!hasDotnet()) throw new Error('the simulated Windows host needs the .NET SDK 10 (`dotnet`)');
  spawnSync('npm', ['run', '-s', 'build'], { cwd: project, stdio: 'inherit' });
  const messages = measureMessages();
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'fettle-winrm-bench-'));
  stack.defer(() => rm(directory, { recursive: true }));
  const lab = stack.use(await startWindowsFleet(['w1']));
  process.stderr.write('round trips of a scan and of a command\n');
  const scan = await measureScan(lab, directory, cli);
  const command = await measureCommand(lab, directory);
  const answer = await takeDownAnswer(lab, directory);
  process.stderr.write(`scanning ${hosts} hosts, all at once\n`);
  await measureFleet(20, { answer, directory, cli });
  const fleet = await measureFleet(hosts, { answer, directory, cli });
  const [sealingMs, readingMs] = [median(messages.sealing), median(messages.reading)];
  const bounds = [
    bound({ what: 'round trips of a scan after the login, without polls', limit: 6, value: scan.requests, unit: '' }),
    bound({ what: 'the same, counted against measured by delay', limit: tolerance, value: difference(scan), unit: '' }),
    bound({ what: 'round trips of a warm command', limit: 5, value: command.requests + command.polls, unit: '' }),
    bound({
      what: 'the same, counted against measured by delay',
      limit: tolerance,
      value: difference(command),
      unit: '',
    }),
    bound({ what: 'CPU to seal and unseal 150 KB', limit: 15, value: sealingMs, unit: 'ms' }),
    bound({ what: 'CPU to unseal and read an answer of 150 KB', limit: 15, value: readingMs, unit: 'ms' }),
    bound({ what: `peak RSS, ${hosts} hosts at once`, limit: 400, value: fleet.peakRssMib, unit: 'MiB' }),
  ];
  const trips = markdownTable(
    ['round trips', 'login', 'requests', 'polls', 'by delay'],
    Object.entries({ scan, 'warm command': command }).map(([name, { login, requests, polls, byDelay }]) => [
      ...[name, login, requests, polls, byDelay],
    ]),
  );
  const costs = markdownTable(
    ['hosts at once', 'answer KiB', 'CPU ms/host', 'wall s', 'peak RSS MiB', 'loop delay p99 ms', 'max ms'],
    [
      [
        ...[fleet.hosts, fleet.answerBytes / 1024, (fleet.cpuSec / fleet.hosts) * 1_000, fleet.wallSec],
        ...[fleet.peakRssMib, fleet.delayP99Ms, fleet.delayMaxMs],
      ],
    ],
  );
  const machine = await machineFacts();
  process.stdout.write(`\n${machineTable(machine)}\n\n${trips}\n\n${costs}\n\n${boundsTable(bounds)}\n`);
  await writeResult('winrm', { machine, scan, command, messages, fleet, bounds });
  return bounds.every(({ met }) => met) ? 0 : 1;
}

process.exitCode = await main();
