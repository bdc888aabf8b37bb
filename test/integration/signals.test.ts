// Signals at every point at which a command may stand: each ends it.
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readdirSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { cli } from '../support/cli.ts';
import { Terminal } from '../support/terminal.ts';
import { Rig } from './rig.ts';

function environment(rig: Rig): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: rig.directory, FETTLE_LEDGER: rig.path('ledger.db') };
}

function start(rig: Rig, argv: readonly string[]): ChildProcess {
  return spawn(process.execPath, [cli, ...argv], { cwd: rig.directory, env: environment(rig), stdio: 'ignore' });
}

/** Until the process has the file open, proc_pid_fd(5). */
async function hasOpen(child: ChildProcess, path: string): Promise<void> {
  const directory = `/proc/${child.pid}/fd`;
  const isOpen = (): boolean =>
    readdirSync(directory).some((name) => {
      try {
        return readlinkSync(join(directory, name)) === path;
      } catch {
        return false;
      }
    });
  while (!isOpen()) {
    assert.equal(child.exitCode ?? child.signalCode, null, 'it ended before it had the file open');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function endedBy(child: ChildProcess): Promise<NodeJS.Signals | null> {
  const [, by] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return by;
}

const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} ends a command that reads an inventory that has no writer`, async () => {
    await using rig = await Rig.make();
    const fifo = rig.path('inventory');
    execFileSync('mkfifo', [fifo]);
    // Open to write as well, so that the reader waits for bytes that never come.
    const held = openSync(fifo, constants.O_RDWR);
    try {
      const child = start(rig, ['inventory', 'list', '-i', fifo]);
      await hasOpen(child, fifo);
      child.kill(signal);
      assert.equal(await endedBy(child), signal);
    } finally {
      closeSync(held);
    }
  });

  test(`${signal} ends a command that asks for a password`, async () => {
    await using rig = await Rig.make();
    await rig.write('i.yaml', 'all: {hosts: {a: {ansible_connection: local}}}\n');
    await using terminal = new Terminal([process.execPath, cli, 'ping', '-i', 'i.yaml', '-k'], {
      cwd: rig.directory,
      env: environment(rig),
    });
    await terminal.waitFor(/login password/);
    terminal.kill(signal);
    assert.equal(await terminal.ended(), 128 + numbers[signal]);
  });
}

test('SIGTERM ends every command that waits for a ledger which somebody holds', async () => {
  await using rig = await Rig.make();
  await rig.write('i.yaml', 'all: {hosts: {a: {ansible_connection: local}}}\n');
  assert.equal((await rig.run(['exec', '-i', 'i.yaml', '--', 'true'])).code, 0);
  const path = rig.path('ledger.db');
  const commands = [
    ['ledger', 'verify'],
    ['report', 'status'],
    ['run', 'list'],
    ['doctor', '-i', 'i.yaml'],
    ['wake', '-i', 'i.yaml', 'a'],
  ];
  const holder = new Database(path);
  try {
    holder.pragma('locking_mode = EXCLUSIVE');
    holder.exec('BEGIN EXCLUSIVE');
    for (const argv of commands) {
      const child = start(rig, argv);
      await hasOpen(child, path);
      child.kill('SIGTERM');
      assert.equal(await endedBy(child), 'SIGTERM', argv.join(' '));
    }
  } finally {
    holder.close();
  }
});

test('Ctrl-C cancels the queries with a message, and the record is whole', async () => {
  await using rig = await Rig.make();
  await rig.write('i.yaml', 'all: {hosts: {a: {ansible_connection: local}}}\n');
  const mark = rig.path('started');
  execFileSync('mkfifo', [mark]);
  const child = spawn(
    process.execPath,
    [cli, 'exec', '-i', 'i.yaml', '--', `echo $$ >'${mark}'; exec sleep infinity`],
    {
      cwd: rig.directory,
      env: environment(rig),
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const sleeper = Number(await readFile(mark, 'utf8'));
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number | null];
  process.kill(sleeper);
  assert.equal(code, 130, said);
  assert.match(said, /hosts that have not answered are skipped/);
  assert.doesNotMatch(said, /hosts in flight are finished/);
  const runs = await rig.run(['run', 'list', '--json=kind,exitName']);
  assert.deepEqual((JSON.parse(runs.stdout) as { runs: unknown[] }).runs, [{ kind: 'exec', exitName: 'interrupted' }]);
});
