import { asFettleError, FettleError, isUnreached } from '../../domain/error.ts';
import type { HostContext } from '../context.ts';
import type { BootState } from '../connection/host-port.ts';

export type BootProbe = ({ readonly kind: 'up' } & BootState) | { readonly kind: 'down'; readonly error: FettleError };

export async function probeBoot(context: HostContext): Promise<BootProbe> {
  try {
    return { kind: 'up', ...(await context.remote.bootState(context.detach)) };
  } catch (error) {
    if (context.detach.aborted) throw error;
    // What a half-started system prints is no proof of anything.
    return isUnreached(error) ? { kind: 'down', error: asFettleError(error) } : { kind: 'up', isSettled: false };
  }
}

/** PID 1 of a machine starts with its kernel, that of a container mostly later: clock ticks, 100 a second. */
const startsWithKernelTicks = 6_000;

export interface BootSigns extends Pick<BootState, 'bootId' | 'initStart'> {
  /** Known from a scan: one that starts with the machine below has a young PID 1 as well. */
  readonly isContainer?: boolean;
}

/**
 * What distinguishes one boot of a host from another: its boot id, and the start of PID 1 too where that is younger than
 * the kernel, so that the boot id is that of the machine below.
 */
export function bootMark({ bootId, initStart, isContainer }: BootSigns): string | undefined {
  const isOwn = initStart === undefined || (initStart <= startsWithKernelTicks && isContainer !== true);
  return bootId === undefined || isOwn ? bootId : `${bootId}/${initStart}`;
}

export function isNew(
  probe: BootProbe | undefined,
  before: string,
): probe is BootProbe & { kind: 'up'; bootId: string } {
  if (probe?.kind !== 'up' || probe.bootId === undefined) return false;
  const [bootId, initStart] = before.split('/');
  if (probe.bootId !== bootId) return true;
  return initStart !== undefined && probe.initStart !== undefined && String(probe.initStart) !== initStart;
}

/** The output of the command that switches the host, where it refused after the job had ended. */
export class CommandWatch {
  readonly #context: HostContext;
  readonly #job: string;
  #lastWords: string | undefined;
  refusal: FettleError | undefined;

  constructor(context: HostContext, job: string) {
    this.#context = context;
    this.#job = job;
  }

  /** Only what is read twice counts: a command may be cut off by the very shutdown that it began. */
  async refuses(): Promise<boolean> {
    try {
      const options = { waitSec: 0, maxBytes: 1, signal: this.#context.detach };
      const { status } = await this.#context.remote.followJob(this.#job, 0, options);
      const words = /^refused: (.*)$/.exec(status.note ?? '')?.[1];
      if (words !== undefined && words === this.#lastWords) {
        this.refusal = new FettleError('reboot', `its own command refused: ${words}`, {
          hint: 'check what blocks it on the host (molly-guard, inhibitors, permissions)',
        });
      }
      this.#lastWords = words;
    } catch (error) {
      if (this.#context.detach.aborted) throw error;
    }
    return this.refusal !== undefined;
  }
}
