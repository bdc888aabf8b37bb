// The lab tests: node test/lab/run.ts [FILE...]
// Where a lab cannot be built they are skipped, with the reason; FETTLE_LAB_REQUIRED=1 makes that a failure.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { constants } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { labsOfRunner, runnerVariable, sweep } from './cleanup.ts';
import { endLab } from './lab.ts';
import { prepare } from './prepare.ts';
import { missingForLab } from './requirements.ts';

async function testFiles(): Promise<readonly string[]> {
  const named = process.argv.slice(2);
  if (named.length > 0) return named;
  const names = await readdir(import.meta.dirname);
  return names.filter((name) => name.endsWith('.test.ts')).map((name) => join(import.meta.dirname, name));
}

/** The words node:test uses for a skipped file. */
function reportSkipped(files: readonly string[], reasons: readonly string[]): void {
  const reason = reasons.join('; ');
  for (const file of files) process.stdout.write(`﹣ ${relative(process.cwd(), file)} # SKIP ${reason}\n`);
  const counts = { tests: files.length, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: files.length, todo: 0 };
  for (const [word, count] of Object.entries(counts)) process.stdout.write(`ℹ ${word} ${count}\n`);
}

/** Runs two files at once, each with labs of its own; a signal goes on to them, and they are waited for. */
async function runTests(files: readonly string[]): Promise<number> {
  const env = { ...process.env, [runnerVariable]: String(process.pid) };
  const child = spawn(process.execPath, ['--test', '--test-concurrency=2', ...files], { stdio: 'inherit', env });
  let received: NodeJS.Signals | undefined;
  const pass = (signal: NodeJS.Signals): void => {
    received = signal;
    child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, pass);
  const [code] = (await once(child, 'exit')) as unknown[];
  for (const signal of signals) process.off(signal, pass);
  if (received !== undefined) return 128 + constants.signals[received];
  return typeof code === 'number' ? code : 1;
}

/** Labs end with their tests; one that is still there after a while is ended. */
async function clearAway(): Promise<void> {
  const deadlineMs = performance.now() + 15_000;
  await sweep();
  while ((await labsOfRunner(String(process.pid))).length > 0 && performance.now() < deadlineMs) {
    await sleep(100);
    await sweep();
  }
  for (const name of await labsOfRunner(String(process.pid))) {
    await endLab(name);
    process.stdout.write(`ℹ lab ${name} cleared away\n`);
  }
}

async function main(): Promise<number> {
  const files = await testFiles();
  const missing = await missingForLab();
  if (missing.length > 0) {
    reportSkipped(files, missing);
    return process.env['FETTLE_LAB_REQUIRED'] === '1' ? 1 : 0;
  }
  const startedMs = performance.now();
  await prepare([
    { flavour: 'plain', packages: [] },
    { flavour: 'systemd', packages: [] },
  ]);
  process.stdout.write(`ℹ lab prepared in ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`);
  try {
    return await runTests(files);
  } finally {
    await clearAway();
  }
}

process.exitCode = await main();
