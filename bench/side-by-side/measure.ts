import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../test/lab/lab.ts';
import { placesOf } from '../../test/lab/places.ts';

/** What one command line cost. CPU is user and system time of every process of its side: cgroup v2, `cpu.stat`. */
export interface Sample {
  readonly wallSec: number;
  readonly controllerCpuSec: number;
  readonly hostsCpuSec: number;
}

export interface Command {
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command on the controller of a lab and measures both sides. @throws Error when it did not do its work. */
export async function measure(lab: Lab, command: Command): Promise<Sample> {
  const { cgroup } = placesOf(lab.name);
  const before = await cpuSeconds(cgroup);
  const startedMs = performance.now();
  await mustRun(lab, command);
  const wallSec = (performance.now() - startedMs) / 1_000;
  const after = await cpuSeconds(cgroup);
  const controllerCpuSec = after.controller - before.controller;
  return { wallSec, controllerCpuSec, hostsCpuSec: after.all - before.all - controllerCpuSec };
}

async function mustRun(lab: Lab, { words, env = {} }: Command): Promise<void> {
  const { code, stdout, stderr } = await lab.exec(words, { env });
  if (code === 0) return;
  throw new Error(`${words.slice(0, 4).join(' ')} ended with ${code}: ${`${stdout}${stderr}`.slice(-600)}`);
}

/** The largest sum of the proportional set sizes of its processes, measured ten times a second. MiB. */
export async function peakMemoryMib(lab: Lab, command: Command): Promise<number> {
  const group = join(placesOf(lab.name).cgroup, 'controller');
  let peakKib = 0;
  const end = new AbortController();
  const running = mustRun(lab, command).finally(() => end.abort());
  while (!end.signal.aborted) {
    peakKib = Math.max(peakKib, await pssKib(group));
    await sleep(100, undefined, { signal: end.signal }).catch(() => undefined);
  }
  await running;
  return peakKib / 1024;
}

async function pssKib(group: string): Promise<number> {
  const pids = (await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
      return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function cpuSeconds(cgroup: string): Promise<{ controller: number; all: number }> {
  const entries = await readdir(cgroup, { withFileTypes: true });
  const groups = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const used = await Promise.all(groups.map(async (name) => [name, await usage(join(cgroup, name))] as const));
  const controller = used.find(([name]) => name === 'controller')?.[1] ?? 0;
  return { controller, all: used.reduce((sum, [, seconds]) => sum + seconds, 0) };
}

async function usage(group: string): Promise<number> {
  const text = await readFile(join(group, 'cpu.stat'), 'utf8');
  return Number(/^usage_usec (\d+)/m.exec(text)?.[1] ?? 0) / 1e6;
}
