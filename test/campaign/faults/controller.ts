// Faults of the machine that fettle runs on, and of the person at it.
import { setTimeout as sleep } from 'node:timers/promises';
import { steps } from '../fault.ts';
import type { Fault, Struck } from '../fault.ts';
import type { Trial } from '../trial.ts';

function signals(name: string, sent: readonly NodeJS.Signals[]): Fault {
  return {
    name,
    at: steps,
    strike: async (trial) => {
      for (const signal of sent) {
        trial.fettle.kill(signal);
        await sleep(trial.random.between(20, 300));
      }
      return {};
    },
  };
}

/** A second process at the same plan or run, beside the first. */
async function secondProcess(trial: Trial): Promise<Struck> {
  const first = trial.fettle;
  const second = trial.random.next() < 0.5 ? trial.apply() : trial.resume();
  await Promise.all([first.endsWithin(120_000), second.endsWithin(120_000)]);
  return {};
}

export const controllerFaults: readonly Fault[] = [
  signals('kill -9', ['SIGKILL']),
  signals('SIGTERM', ['SIGTERM']),
  signals('SIGHUP', ['SIGHUP']),
  signals('Ctrl-C', ['SIGINT']),
  signals('Ctrl-C twice', ['SIGINT', 'SIGINT']),
  signals('Ctrl-C three times', ['SIGINT', 'SIGINT', 'SIGINT']),
  { name: 'a second fettle', at: steps, strike: secondProcess },
];
