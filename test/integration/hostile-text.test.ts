// Everything that reads a text of a host is given a megabyte of each of many hostile texts. What takes more than linear
// time or memory never ends with them: the limit is far above what a slow machine needs for all that is linear.
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

const root = join(import.meta.dirname, '..', '..', 'src');
const hangMs = 120_000;
const maxHeapMb = 1_024;

/** Files whose exports read texts of hosts; a new one of managers is here without being named. */
const files = [
  ...globSync('managers/*.ts', { cwd: root }),
  ...['base/text.ts', 'report/text/line-buffer.ts'],
  ...['remote/clixml.ts', 'remote/elevation-dialogue.ts', 'remote/frame.ts'],
  ...['domain/xml.ts', 'transport/winrm/auth/token-framing.ts', 'transport/winrm/http/http-response.ts'],
].sort();

interface Ending {
  /** What was read last. */
  readonly last: string;
  readonly count: number;
  readonly error?: Error;
}

async function readAll(): Promise<Ending> {
  const worker = new Worker(new URL('../support/hostile-parsers.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
  });
  const { promise, resolve } = Promise.withResolvers<Ending>();
  let [last, count] = ['the start', 0];
  const end = (error?: Error): void => resolve({ last, count, ...(error === undefined ? {} : { error }) });
  const hung = setTimeout(() => end(new Error(`it did not end within ${hangMs / 1000} s`)), hangMs);
  worker.on('message', (name: string) => {
    hung.refresh();
    if (name === 'over') return end();
    last = name;
    count += 1;
  });
  worker.on('error', (error) => end(error as Error));
  const ending = await promise;
  clearTimeout(hung);
  await worker.terminate();
  return ending;
}

test('every function that reads a text of a host has a row, or a word that it reads none', async () => {
  const { rows } = (await import('../support/hostile-parsers.ts')) as { rows: Readonly<Record<string, unknown>> };
  const missing: string[] = [];
  for (const file of files) {
    const exported = (await import(join(root, file))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exported)) {
      if (typeof value === 'function' && !Object.hasOwn(rows, `${file}#${name}`)) missing.push(`${file}#${name}`);
    }
  }
  assert.deepEqual(missing, [], 'they are no rows of test/support/hostile-parsers.ts');
});

test('a megabyte of any hostile text is read or refused, in linear time and bounded memory, by every parser', async () => {
  const { last, count, error } = await readAll();
  assert.equal(error, undefined, `${last}: ${error?.message}`);
  assert.ok(count > 2_000, `only ${count} texts were read`);
});
