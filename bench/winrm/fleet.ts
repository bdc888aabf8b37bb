// Many Windows hosts at once: their servers are processes of their own, so that what is measured is fettle alone.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Cost } from '../scale/watch.ts';
import type { CannedAnswer } from './canned-host.ts';
import { inventoryOf, scanWith } from './round-trips.ts';

const workers = 2;

export interface FleetRow extends Cost {
  readonly hosts: number;
  readonly answerBytes: number;
  readonly wallSec: number;
}

export interface FleetPorts {
  readonly answer: CannedAnswer;
  readonly directory: string;
  readonly cli: string;
}

/** All of them are scanned at once: no host answers before the last one was asked. */
export async function measureFleet(hosts: number, { answer, directory, cli }: FleetPorts): Promise<FleetRow> {
  const answerFile = join(directory, 'answer.json');
  await writeFile(answerFile, JSON.stringify(answer));
  await using stack = new AsyncDisposableStack();
  const started = Array.from({ length: workers }, () => {
    const words = [join(import.meta.dirname, 'simulated-hosts.ts'), String(hosts / workers), answerFile];
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    stack.defer(() => void child.kill('SIGKILL'));
    return new Worker(child);
  });
  const ports = (await Promise.all(started.map((worker) => worker.line()))).flatMap(
    (line) => JSON.parse(line) as number[],
  );
  const inventory = join(directory, 'fleet.yaml');
  await writeFile(inventory, inventoryOf(ports));
  const costFile = join(directory, 'cost');
  const startedMs = performance.now();
  const scan = scanWith(['--import', join(import.meta.dirname, '../scale/watch.ts'), cli], inventory, directory, {
    more: ['--concurrency', String(hosts)],
    env: { FETTLE_BENCH_COST: costFile },
  });
  await Promise.race([scan, Promise.all(started.map((worker) => worker.line()))]);
  for (const worker of started) worker.letGo();
  await scan;
  const wallSec = (performance.now() - startedMs) / 1_000;
  const cost = JSON.parse(await readFile(costFile, 'utf8')) as Cost;
  return { hosts, answerBytes: Buffer.byteLength(answer.frame), wallSec, ...cost };
}

/** A process of simulated hosts. */
class Worker {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error('the simulated hosts have no output');
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true)
      throw new Error(`the simulated hosts ended: ${String((await once(this.#child, 'exit'))[0])}`);
    return next.value;
  }

  letGo(): void {
    this.#child.stdin?.write('go\n');
  }
}
