import { FettleError } from '../domain/error.ts';
import type { Operator } from '../domain/event.ts';
import { isLeaseLost, leaseLost } from '../domain/lease.ts';
import type { LeaseAnswer, LeaseHolding, LeaseRequest } from '../domain/record.ts';
import type { HostContext, RunContext } from './context.ts';
import { Heartbeat } from './heartbeat.ts';

/** A lease is worth three missed heartbeats. Milliseconds. */
const leaseMs = 120_000;

export interface LeasePorts extends Pick<RunContext, 'run' | 'operator' | 'clock' | 'record'> {
  /** Processes that had the run in hand and are gone. */
  readonly gone?: readonly Operator[];
  /** The lease of this host is not ours any more. */
  readonly onLost: (hostId: string, error: FettleError) => void;
  /** Another process has the whole run in hand. */
  readonly onHandedOver: (error: FettleError) => void;
  readonly onStopRequested: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** The leases of one run in this process: taken, kept alive, given back. */
export class RunLeases implements AsyncDisposable {
  readonly #ports: LeasePorts;
  readonly #held = new Map<string, LeaseHolding>();
  #heartbeat: Heartbeat | undefined;

  constructor(ports: LeasePorts) {
    this.#ports = ports;
  }

  async take(hostIds: readonly string[]): Promise<LeaseAnswer> {
    const { record, run } = this.#ports;
    const answer = await record.acquireLeases(leaseRequest(this.#ports, hostIds));
    for (const { hostId, fence } of answer.taken) this.#held.set(hostId, { run, hostId, fence });
    return answer;
  }

  /** Keeps them until this is disposed of. */
  startHeartbeat(): void {
    this.#heartbeat ??= new Heartbeat({ ...this.#ports, renewLeases: () => this.#renew() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#heartbeat?.[Symbol.asyncDispose]();
  }

  /** Reports each that was lost; a lost one is not requested again. */
  async #renew(): Promise<void> {
    const { record, run, onLost, onHandedOver } = this.#ports;
    const lost = await record.renewLeases({ ...timesOf(this.#ports), leases: [...this.#held.values()] });
    for (const item of lost) {
      // It may have been given back since.
      if (!this.#held.delete(item.hostId)) continue;
      const error = leaseLost(item);
      onLost(item.hostId, error);
      if (item.run === run && item.holder !== undefined) onHandedOver(error);
    }
  }

  async release(hostIds: readonly string[]): Promise<void> {
    const leases = hostIds.flatMap((hostId) => this.#held.get(hostId) ?? []);
    for (const { hostId } of leases) this.#held.delete(hostId);
    if (leases.length > 0) await this.#ports.record.releaseLeases(leases);
  }
}

type LeaseRequester = Pick<LeasePorts, 'run' | 'operator' | 'clock'> & Partial<Pick<LeasePorts, 'gone'>>;

/** The leases of these hosts for this process. */
export function leaseRequest(ports: LeaseRequester, hostIds: readonly string[], forMs = leaseMs): LeaseRequest {
  const { run, operator, gone = [] } = ports;
  return { run, holder: operator, gone, hostIds, ...timesOf(ports, forMs) };
}

function timesOf(
  { clock }: Pick<LeasePorts, 'clock'>,
  forMs = leaseMs,
): Pick<LeaseRequest, 'nowMs' | 'expiresMs' | 'boot'> {
  const nowMs = clock.now();
  const boot = clock.sinceBoot?.();
  return { nowMs, expiresMs: nowMs + forMs, ...(boot === undefined ? {} : { boot }) };
}

/** Why the work on a host ends here although nothing failed. */
export function lostLeaseOf(context: HostContext, error?: FettleError): FettleError | undefined {
  const reason: unknown = context.detach.aborted ? context.detach.reason : undefined;
  return [error, reason].find((item): item is FettleError => item instanceof FettleError && isLeaseLost(item));
}
