import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';

/** Where every benchmark leaves what it measured, one JSON file each. */
export const resultsDir = join(import.meta.dirname, 'results');

/** The middle value; the mean of the middle two where the count is even, NaN where there is none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which a share of the values lies, between two of them interpolated; NaN where there is none. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** A number as a table shows it: three significant digits, whole from 100 on, a dash where there is none. */
function shown(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1);
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** A Markdown table; numbers are shown by `shown` and stand at the right. */
export function markdownTable(headers: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const text = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? shown(cell) : cell)));
  const isNumber = headers.map((_, at) => rows.some((row) => typeof row[at] === 'number'));
  const widths = headers.map((header, at) => Math.max(3, header.length, ...text.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => (isNumber[at] === true ? (cells[at] ?? '').padStart(width) : (cells[at] ?? '').padEnd(width))).join(' | ')} |`;
  const rule = widths.map((width, at) => (isNumber[at] === true ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(headers), line(rule), ...text.map(line)].join('\n');
}

export interface Bound {
  readonly what: string;
  /** In `unit`; the measured value may not be above it, or not below it, as `sense` sets. */
  readonly limit: number;
  readonly value: number;
  readonly unit: string;
  readonly sense?: 'at-most' | 'at-least';
}

export interface JudgedBound extends Bound {
  readonly met: boolean;
}

/** Judges a bound; a value that is no number misses it. */
export function bound(claim: Bound): JudgedBound {
  const met = claim.sense === 'at-least' ? claim.value >= claim.limit : claim.value <= claim.limit;
  return { ...claim, met };
}

export function boundsTable(bounds: readonly JudgedBound[]): string {
  const rows = bounds.map(({ what, sense, limit, value, unit, met }) => {
    const limitText = `${sense === 'at-least' ? '≥' : '≤'} ${shown(limit)} ${unit}`.trimEnd();
    return [what, limitText, `${shown(value)} ${unit}`.trimEnd(), met ? 'met' : 'MISSED'];
  });
  return markdownTable(['what', 'bound', 'measured', ''], rows);
}

export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMib: number;
  readonly kernel: string;
  readonly distribution: string;
  readonly node: string;
  /** The version that each tool reports; those that are not installed are left out. */
  readonly tools: Readonly<Record<string, string>>;
  /** ISO 8601, UTC. */
  readonly measuredAt: string;
}

/** The first line of the version output of the tool, on either stream. */
const versionCommands: Readonly<Record<string, readonly string[]>> = {
  ssh: ['ssh', '-V'],
  pdsh: ['pdsh', '-V'],
  clush: ['clush', '--version'],
  'parallel-ssh': ['parallel-ssh', '--version'],
  ansible: ['ansible', '--version'],
  xargs: ['xargs', '--version'],
};

/** What the figures of a run depend on. */
export async function machineFacts(): Promise<MachineFacts> {
  const osRelease = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const tools = Object.entries(versionCommands).flatMap(([name, words]) => {
    const version = versionOf(words);
    return version === undefined ? [] : [[name, version] as const];
  });
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryMib: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    distribution: /^PRETTY_NAME="?(?<name>[^"\n]*)/m.exec(osRelease)?.groups?.['name'] ?? process.platform,
    node: process.version,
    tools: Object.fromEntries(tools),
    measuredAt: new Date().toISOString(),
  };
}

function versionOf([program = '', ...rest]: readonly string[]): string | undefined {
  const { error, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
  return error === undefined ? `${stdout}\n${stderr}`.trim().split('\n')[0] : undefined;
}

export function machineTable(machine: MachineFacts): string {
  const { tools, ...rest } = machine;
  const rows = [...Object.entries(rest), ...Object.entries(tools)].map(([name, value]) => [name, String(value)]);
  return markdownTable(['machine', ''], rows);
}

/** Writes what a benchmark measured to `bench/results/NAME.json`; gives the path. */
export async function writeResult(name: string, result: object): Promise<string> {
  await mkdir(resultsDir, { recursive: true });
  const path = join(resultsDir, `${name}.json`);
  await writeFile(path, `${JSON.stringify(result, undefined, 2)}\n`);
  return path;
}
