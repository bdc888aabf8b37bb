import { ownMachine, type OwnMachine } from '../../src/engine/own-machine.ts';
import type { MachineFacts } from '../../src/domain/identity.ts';

/** The machine fettle runs on, with `disk` as what its root can read; a fake machine with the same disk is it. */
export function ownOf(facts: MachineFacts, disk: Map<string, string>): OwnMachine {
  let asked = 0;
  return ownMachine(facts, async (use) => {
    asked += 1;
    const [path, word] = [`/ledger/secret-${asked}`, `word-${asked}`];
    disk.set(path, word);
    try {
      return await use(path, word);
    } finally {
      disk.delete(path);
    }
  });
}

/** Where nothing hangs on whether a host is our own machine. */
export const noOwnMachine: OwnMachine = { facts: {}, recognises: () => Promise.resolve(false) };
