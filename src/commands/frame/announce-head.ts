import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Anchor } from '../../ledger/anchor.ts';
import type { Context } from '../invocation/context.ts';

const runProgram = promisify(execFile);

/** Where the log of the system listens, see syslog(3): logger(1) is content without, and nothing would be kept. */
const sockets = ['/dev/log', '/var/run/syslog', '/var/run/log'];

/** Why the head of the chain cannot be written to the log of the system; undefined where it can. */
export async function systemLogTrouble(): Promise<string | undefined> {
  const found = await Promise.all(
    sockets.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true) ? undefined : 'no system log listens here (/dev/log)';
}

/**
 * Tells the system's log the head of the chain at the start, detach and end of a run, logger(1): an anchor outside the
 * ledger, for `fettle ledger verify --head`. Where that cannot be done, `-v` says so.
 */
export function announcer(context: Pick<Context, 'console'>, isVerbose: boolean): (anchor: Anchor) => Promise<void> {
  let isTold = false;
  return async ({ event, run, head }) => {
    if (head === undefined) {
      if (!isTold)
        context.console.warn(
          'warning: the ledger does not hold the head that was saved last; run: fettle ledger verify',
        );
      isTold = true;
      return;
    }
    const trouble = await writeToSystemLog(`run ${run} ${event} ledger head ${head.seq}:${head.hash}`);
    if (trouble !== undefined && isVerbose && !isTold) {
      context.console.message(`the head of the ledger's chain was not written to the system log: ${trouble}`);
    }
    isTold ||= trouble !== undefined;
  };
}

async function writeToSystemLog(text: string): Promise<string | undefined> {
  const trouble = await systemLogTrouble();
  if (trouble !== undefined) return trouble;
  try {
    await runProgram('logger', ['-t', 'fettle', '--', text], { timeout: 2_000 });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
  }
}
