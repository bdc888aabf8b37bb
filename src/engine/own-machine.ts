import { shellWord } from '../base/text.ts';
import { claimsSameMachine } from '../domain/identity.ts';
import type { MachineFacts } from '../domain/identity.ts';
import type { HostPort } from './connection/host-port.ts';

/** The machine fettle runs on: it goes last and is not rebooted by its own run. */
export interface OwnMachine {
  /** Empty where it does not report one. */
  readonly facts: MachineFacts;
  /** Is it at the other end of the connection? Rejects only with what the connection rejects with, or a disk error. */
  recognises(remote: HostPort, facts: MachineFacts, signal: AbortSignal): Promise<boolean>;
}

/** A word nobody can guess, in a file of this machine that only its owner and root can read, while `use` runs. */
export type WithLocalSecret = <T>(use: (path: string, word: string) => Promise<T>) => Promise<T>;

const readTimeoutMs = 20_000;

/**
 * What a host reports of itself is no proof: every user of this machine can read its ids. A host on the other end of a
 * connection must read a secret from this machine's own disk; one that the inventory gives the local transport is this
 * machine by the operator's word.
 */
export function ownMachine(facts: MachineFacts, withSecret: WithLocalSecret): OwnMachine {
  return {
    facts,
    recognises: async (remote, theirs, signal) => {
      const { transport, shell } = remote.host.connection;
      if (transport === 'local') return true;
      if (shell === 'powershell' || !claimsSameMachine(theirs, facts)) return false;
      return withSecret(async (path, word) => {
        const text = `cat -- ${shellWord(path)}`;
        const { stdout } = await remote.exec(text, { signal, timeoutMs: readTimeoutMs, outputLimitBytes: 4_096 });
        return stdout.toString('utf8').trim() === word;
      });
    },
  };
}
