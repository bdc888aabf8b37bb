import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Ledger } from '../ledger/ledger.ts';

const runProgram = promisify(execFile);

/**
 * Tells the system's log the head of the chain at the end of a run, logger(1): an anchor outside the ledger, for
 * `fettle ledger verify --head`. Where there is no such program or log, nothing is told.
 */
export async function announceHead(ledger: Ledger, run: string): Promise<void> {
  const { seq, hash } = await ledger.head();
  await runProgram('logger', ['-t', 'fettle', '--', `run ${run} ledger head ${seq}:${hash}`], { timeout: 2_000 }).catch(
    () => undefined,
  );
}
