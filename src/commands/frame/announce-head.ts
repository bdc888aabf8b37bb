import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Anchor } from '../../ledger/anchor.ts';
import type { Context } from '../invocation/context.ts';

const runProgram = promisify(execFile);

/** The sockets of the system log, see syslog(3): without one logger(1) succeeds, but nothing is kept. */
const sockets = ['/dev/log', '/var/run/syslog', '/var/run/log'];

/** Why the head of the chain cannot be written to the system log; undefined where it can. */
export async function systemLogTrouble(): Promise<string | undefined> {
  const isSocket = await Promise.all(
    sockets.map((path) =>
      stat(path).then(
        // The journal of systemd may have a directory of that name.
        (found) => found.isSocket(),
        () => false,
      ),
    ),
  );
  return isSocket.includes(true) ? undefined : 'there is no system log on this machine (/dev/log)';
}

/**
 * Writes the head of the chain to the system log at the start, detach and end of a run, logger(1): an anchor outside
 * the ledger, for `fettle ledger verify --head`. Where that fails, `-v` shows why.
 */
export function announcer(context: Pick<Context, 'console'>, isVerbose: boolean): (anchor: Anchor) => Promise<void> {
  let isReported = false;
  return async ({ event, run, head }) => {
    if (head === undefined) {
      if (!isReported)
        context.console.warn(
          'warning: the ledger does not contain the chain head that was saved last; run: fettle ledger verify',
        );
      isReported = true;
      return;
    }
    const trouble = await writeToSystemLog(`run ${run} ${event} ledger head ${head.seq}:${head.hash}`);
    if (trouble !== undefined && isVerbose && !isReported) {
      context.console.message(`the head of the ledger's chain was not written to the system log: ${trouble}`);
    }
    isReported ||= trouble !== undefined;
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
