// A year of weekly scans and rollouts on a thousand hosts: what every report costs, `ledger verify`, size and growth.
//   node bench/ledger.ts [--hosts 1000] [--weeks 52] [--rounds 5] [--cli dist/cli.js]     after: npm run build
import { statSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { openLedger } from '../src/ledger/ledger.ts';
import { appendCost, type AppendCost } from './ledger/append-cost.ts';
import { commandCosts, type CommandCost } from './ledger/commands.ts';
import { endOfYear, yearLedger, type Year } from './ledger/year.ts';
import {
  bound,
  boundsTable,
  machineFacts,
  machineTable,
  markdownTable,
  writeResult,
  type JudgedBound,
} from './report.ts';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '1000' },
    weeks: { type: 'string', default: '52' },
    rounds: { type: 'string', default: '5' },
    cli: { type: 'string', default: join(import.meta.dirname, '../dist/cli.js') },
  },
});

interface Content {
  readonly run: string;
  readonly events: number;
  readonly blobs: number;
  readonly sizeBytes: number;
  readonly bytesPerHostRun: number;
  readonly firstWeekBytesPerHostRun: number;
  readonly eventsPerHostRun: number;
  /** What `run resume` reads before it does anything. Milliseconds. */
  readonly resumeStateMs: number;
}

async function contentOf(year: Year): Promise<Content> {
  await using ledger = await openLedger({ path: year.path, clock: systemClock, readonly: true });
  const { run } = await ledger.findRun();
  const { events, blobs } = await ledger.stats();
  const startedMs = performance.now();
  await ledger.runState(run);
  const resumeStateMs = performance.now() - startedMs;
  const hostRuns = year.hosts * year.weeks;
  const sizeBytes = statSync(year.path).size;
  return {
    run,
    events,
    blobs,
    sizeBytes,
    bytesPerHostRun: sizeBytes / hostRuns,
    firstWeekBytesPerHostRun: statSync(year.firstWeekPath).size / year.hosts,
    eventsPerHostRun: events / hostRuns,
    resumeStateMs,
  };
}

function reportsOf(year: Year, run: string): readonly (readonly string[])[] {
  const halfAYearAgo = new Date(endOfYear(year) - Math.floor(year.weeks / 2) * 7 * 24 * 3600_000).toISOString();
  const asOf = ['--as-of', halfAYearAgo.slice(0, 10)];
  const host = `web${String(Math.ceil(year.hosts / 2)).padStart(4, '0')}`;
  const plain = [
    ['report', 'status'],
    ['report', 'updates'],
    ['report', 'hosts'],
    ['report', 'hosts', host],
    ['report', 'reboots'],
    ['report', 'history'],
    ['report', 'history', host],
  ];
  const asked = [
    ...plain,
    ...plain.map((words) => [...words, ...asOf]),
    ['report', 'history', '--failed'],
    ['run', 'list'],
    ['run', 'list', '-n', '500'],
    ['run', 'show', run],
    ['ledger', 'stats'],
  ];
  return [...asked.flatMap((words) => [words, [...words, '--json']]), ['run', 'logs', host, '--run', run]];
}

function contentTable(content: Content, append: AppendCost): string {
  const mib = 2 ** 20;
  return markdownTable(
    ['the ledger', ''],
    [
      ['events', content.events],
      ['events per host run (with the weekly scan)', content.eventsPerHostRun],
      ['file, MiB', content.sizeBytes / mib],
      ['KiB per host run, whole year', content.bytesPerHostRun / 1024],
      ['KiB per host run, first week', content.firstWeekBytesPerHostRun / 1024],
      ['one event in its own commit, first week, µs', append.earlyUs],
      ['one event in its own commit, after a year, µs', append.lateUs],
      ['growth of that over the year, ratio', append.lateUs / append.earlyUs],
      ['the same waiting for the disk, first week, µs', append.earlySyncedUs],
      ['the same waiting for the disk, after a year, µs', append.lateSyncedUs],
      ['state of a run that `run resume` reads, ms', content.resumeStateMs],
    ],
  );
}

function costTable(costs: readonly CommandCost[]): string {
  const rows = costs.map(({ command, wallMs, cpuMs, peakMib, outputBytes }) => [
    `fettle ${command.replace(/\b01[0-9A-Z]{24}\b/, 'RUN')}`,
    wallMs,
    cpuMs,
    peakMib,
    outputBytes / 1024,
  ]);
  return markdownTable(['command', 'wall ms', 'CPU ms', 'peak MiB', 'output KiB'], rows);
}

function boundsOf(reports: readonly CommandCost[], verify: CommandCost, events: number): readonly JudgedBound[] {
  const slowest = reports.toSorted((one, other) => other.wallMs - one.wallMs)[0];
  const what = `the slowest report over a year (${slowest?.command.split(' ').slice(0, 2).join(' ') ?? 'none'})`;
  const perSec = events / (verify.wallMs / 1_000);
  return [
    bound({ what, limit: 1, value: (slowest?.wallMs ?? Number.NaN) / 1_000, unit: 's' }),
    bound({ what: '`ledger verify`', limit: 50_000, value: perSec, unit: 'events/s', sense: 'at-least' }),
  ];
}

async function main(): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const year = yearLedger({ hosts: Number(values.hosts), weeks: Number(values.weeks) }, say);
  const content = await contentOf(year);
  const loadBefore = loadavg()[0] ?? 0;
  say('reports');
  const rounds = Number(values.rounds);
  const setting = { cli: values.cli, ledger: year.path };
  const reports = await commandCosts(reportsOf(year, content.run), { ...setting, rounds });
  say('ledger verify');
  const [verify] = await commandCosts([['ledger', 'verify']], { ...setting, rounds: Math.min(rounds, 3) });
  if (verify === undefined) throw new Error('ledger verify was not measured');
  say('appends');
  const append = appendCost(year);
  const machine = await machineFacts();
  const bounds = boundsOf(reports, verify, content.events);
  const { hosts, weeks } = year;
  const loads = [loadBefore, loadavg()[0] ?? 0];
  const path = await writeResult('ledger', {
    machine,
    loads,
    hosts,
    weeks,
    rounds,
    content,
    append,
    reports,
    verify,
    bounds,
  });
  const tables = [
    contentTable(content, append),
    costTable([...reports, verify]),
    boundsTable(bounds),
    machineTable(machine),
  ];
  process.stdout.write(
    `${tables.join('\n\n')}\n\nload before and after: ${loads.map((load) => load.toFixed(1)).join(', ')}\n`,
  );
  say(`written to ${path}`);
}

await main();
