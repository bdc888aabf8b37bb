// Every command that reads the ledger, run as the process a person would start.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { median } from '../report.ts';

/** Writes the resource usage of the process to descriptor 3 when it ends; its threads load this too and write nothing. */
const tellUsage = `data:text/javascript,${encodeURIComponent(`
  import { isMainThread } from 'node:worker_threads';
  import { writeSync } from 'node:fs';
  if (isMainThread) process.on('exit', () => writeSync(3, JSON.stringify(process.resourceUsage())));
`)}`;

export interface Setting {
  /** The built program. */
  readonly cli: string;
  readonly ledger: string;
  readonly rounds: number;
}

export interface CommandCost {
  readonly command: string;
  readonly wallMs: number;
  /** User and system time of all its threads. */
  readonly cpuMs: number;
  readonly peakMib: number;
  readonly outputBytes: number;
}

interface Usage {
  readonly userCPUTime: number;
  readonly systemCPUTime: number;
  /** KiB. */
  readonly maxRSS: number;
}

/** Medians of several rounds; in each round every command is run once, so that a busy minute spoils none alone. */
export async function commandCosts(
  commands: readonly (readonly string[])[],
  { cli, ledger, rounds }: Setting,
): Promise<readonly CommandCost[]> {
  if (!existsSync(cli)) throw new Error(`there is no ${cli}: npm run build`);
  const samples = new Map<readonly string[], CommandCost[]>(commands.map((words) => [words, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const words of commands) samples.get(words)?.push(await runOnce([cli, ...words, '--ledger', ledger]));
  }
  return [...samples].map(([words, costs]) => ({
    command: words.join(' '),
    wallMs: median(costs.map((cost) => cost.wallMs)),
    cpuMs: median(costs.map((cost) => cost.cpuMs)),
    peakMib: median(costs.map((cost) => cost.peakMib)),
    outputBytes: median(costs.map((cost) => cost.outputBytes)),
  }));
}

/** @throws Error when it does not end with 0. */
async function runOnce(words: readonly string[]): Promise<CommandCost> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, ['--import', tellUsage, ...words], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const [, output, complaints, told] = child.stdio;
  const [outputText, problem, usageText] = [textOf(output), textOf(complaints), textOf(told)];
  const [code] = (await once(child, 'close')) as unknown[];
  const wallMs = performance.now() - startedMs;
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${String(code)}: ${(await problem).toString()}`);
  const usage = JSON.parse((await usageText).toString()) as Usage;
  return {
    command: words.join(' '),
    wallMs,
    cpuMs: (usage.userCPUTime + usage.systemCPUTime) / 1_000,
    peakMib: usage.maxRSS / 1024,
    outputBytes: (await outputText).length,
  };
}

async function textOf(stream: unknown): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as Readable) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
