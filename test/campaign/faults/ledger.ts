// Faults of what lies under the ledger, and of the controller's clock.
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { capture, run } from '../../lab/shell.ts';
import { steps } from '../fault.ts';
import type { Fault } from '../fault.ts';
import type { Trial } from '../trial.ts';

const faketime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

/** The file and its write-ahead log; the shared memory is not of the disk. */
async function copyLedger(trial: Trial, to: string): Promise<void> {
  const { ledgerPath } = trial.lab;
  await copyFile(ledgerPath, join(to, 'ledger'));
  if (existsSync(`${ledgerPath}-wal`)) await copyFile(`${ledgerPath}-wal`, join(to, 'ledger-wal'));
}

async function putBack(trial: Trial, from: string): Promise<void> {
  const { ledgerPath } = trial.lab;
  for (const suffix of ['', '-wal', '-shm']) await rm(`${ledgerPath}${suffix}`, { force: true });
  await copyFile(join(from, 'ledger'), ledgerPath);
  if (existsSync(join(from, 'ledger-wal'))) await copyFile(join(from, 'ledger-wal'), `${ledgerPath}-wal`);
}

function makeDirectory(trial: Trial): Promise<string> {
  return mkdtemp(join(trial.lab.stateDir, 'ledger-copy-'));
}

/** Everything of the controller's side ends at once; what a disk would hold of the ledger is what is left. */
async function crash(trial: Trial): Promise<void> {
  const copy = await makeDirectory(trial);
  trial.fettle.kill('SIGSTOP');
  await copyLedger(trial, copy);
  trial.fettle.kill('SIGKILL');
  await trial.fettle.done();
  await putBack(trial, copy);
}

const olderCopies = new WeakMap<Trial, string>();

async function copyOlder(trial: Trial): Promise<void> {
  const copy = await makeDirectory(trial);
  const connection = new Database(trial.lab.ledgerPath, { readonly: true });
  try {
    await connection.backup(join(copy, 'ledger'));
  } finally {
    connection.close();
  }
  olderCopies.set(trial, copy);
}

async function forget(trial: Trial): Promise<void> {
  trial.fettle.kill('SIGKILL');
  await trial.fettle.done();
  await putBack(trial, olderCopies.get(trial) ?? '');
  // Who puts an older copy back on purpose moves the heads away that it does not have.
  await rm(`${trial.lab.ledgerPath}.head`, { force: true });
  trial.forgottenProcesses = trial.processes.length;
}

function clockJump(name: string, offset: string): Fault {
  return {
    name,
    at: steps,
    isUnavailable: () => (existsSync(faketime) ? undefined : 'the package faketime is missing'),
    beforeApply: async (trial) => {
      const file = join(trial.lab.stateDir, 'clock');
      await writeFile(file, '+0\n');
      const env = {
        LD_PRELOAD: faketime,
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      };
      trial.runOptions = { env };
    },
    strike: async (trial) => {
      await writeFile(join(trial.lab.stateDir, 'clock'), `${offset}\n`);
      return {};
    },
  };
}

export const ledgerFaults: readonly Fault[] = [
  {
    name: 'controller crashes',
    at: steps,
    strike: async (trial) => {
      await crash(trial);
      return {};
    },
  },
  {
    name: 'ledger put back from before the run',
    at: steps,
    beforeApply: copyOlder,
    strike: async (trial) => {
      await forget(trial);
      return {};
    },
  },
  {
    name: 'ledger put back from the middle of the run',
    at: ['install', 'before_reboot', 'reboot', 'verify', 'after_host'],
    meanwhile: async (trial) => {
      const { victim } = trial.design;
      const isThere = await trial.fettle.until(() => trial.fettle.openSteps(victim).includes('before_host'));
      if (isThere) await copyOlder(trial);
    },
    strike: async (trial) => {
      await forget(trial);
      return {};
    },
  },
  {
    name: 'disk under the ledger full',
    at: steps,
    patienceMs: 90_000,
    beforePlan: async ({ ledgerPath, name }) => {
      await run(['mount', '-t', 'tmpfs', '-o', 'size=24m', `ledger-of-${name}`, dirname(ledgerPath)]);
    },
    strike: async (trial) => {
      const filler = join(dirname(trial.lab.ledgerPath), 'filler');
      await capture(['dd', 'if=/dev/zero', `of=${filler}`, 'bs=4k', 'status=none']);
      return { heal: () => rm(filler) };
    },
  },
  clockJump('clock of the controller a day ahead', '+1d'),
  clockJump('clock of the controller a day back', '-1d'),
];
