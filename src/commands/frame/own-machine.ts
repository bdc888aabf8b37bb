// The machine fettle runs on, and the proof that a host is this machine.
import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FettleError } from '../../domain/error.ts';
import type { MachineFacts } from '../../domain/identity.ts';
import { ownMachine, type OwnMachine, type WithLocalSecret } from '../../engine/own-machine.ts';
import type { Context } from '../invocation/context.ts';
import type { LedgerRequest } from '../invocation/request.ts';
import { ledgerPath } from './open-ledger.ts';

/**
 * It goes last and is not rebooted by its own run. The ledger's directory is ours and on a local disk, so that no other
 * machine can read what is written there.
 */
export async function thisMachine(request: LedgerRequest, context: Context): Promise<OwnMachine> {
  return ownMachine(await readFacts(), secretIn(dirname(ledgerPath(request, context))));
}

/** machine-id(5), and the boot id of random(4). */
async function readFacts(): Promise<MachineFacts> {
  const read = async (file: string): Promise<string | undefined> =>
    readFile(file, 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    );
  const [machineId, bootId] = [await read('/etc/machine-id'), await read('/proc/sys/kernel/random/boot_id')];
  return { ...(machineId === undefined ? {} : { machineId }), ...(bootId === undefined ? {} : { bootId }) };
}

function secretIn(directory: string): WithLocalSecret {
  return async (use) => {
    const word = randomBytes(32).toString('hex');
    const path = join(directory, `.fettle-here-${randomBytes(8).toString('hex')}`);
    try {
      await writeFile(path, `${word}\n`, { flag: 'wx', mode: 0o600 });
      return await use(path, word);
    } catch (cause) {
      if (cause instanceof FettleError || !(cause instanceof Error) || !('syscall' in cause)) throw cause;
      throw new FettleError(
        'disk',
        `${path} cannot be written, so fettle cannot determine which host is this machine`,
        {
          hint: "make the ledger's directory writable",
          cause,
        },
      );
    } finally {
      await rm(path, { force: true });
    }
  };
}
