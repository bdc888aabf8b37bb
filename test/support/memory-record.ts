import { createHash } from 'node:crypto';
import type { Clock } from '../../src/base/clock.ts';
import { FettleError } from '../../src/domain/error.ts';
import type { Operator, RunEvent } from '../../src/domain/event.ts';
import { bootExpiry, isHeldAgainst, isOurs, leaseLeftMs, leaseLost, momentOf } from '../../src/domain/lease.ts';
import type { StoredLease } from '../../src/domain/lease.ts';
import type {
  LeaseAnswer,
  LeaseHolding,
  LeaseRenewal,
  LeaseRequest,
  LostLease,
  RecordedFacts,
  RunControl,
  RunRecord,
  RunState,
} from '../../src/domain/record.ts';
import { runState, type TimedEvent } from './memory-run-state.ts';

/** A record that lives as long as the test; what a real ledger would answer, read from the events alone. */
export class MemoryRecord implements RunRecord, RunControl {
  readonly clock: Pick<Clock, 'now'>;
  readonly events: RunEvent[] = [];
  readonly blobs = new Map<string, Buffer>();
  readonly leases = new Map<string, StoredLease & { readonly fence: number }>();
  readonly stopAsked = new Set<string>();
  readonly #times: number[] = [];
  #fence = 0;
  /** When set, every call fails with it from now on: a disk that is full. */
  broken: FettleError | undefined;

  constructor(clock: Pick<Clock, 'now'> = { now: () => 0 }) {
    this.clock = clock;
  }

  /** Every event with the time at which it was appended. */
  get timed(): readonly TimedEvent[] {
    return this.events.map((event, index) => ({ event, atMs: this.#times[index] ?? 0 }));
  }

  append(events: readonly RunEvent[]): Promise<void> {
    return this.#answer(() => this.#push(events));
  }

  #push(events: readonly RunEvent[]): void {
    for (const event of events) {
      this.#times[this.events.length] = this.clock.now();
      this.events.push(event);
    }
  }

  putBlob(bytes: Uint8Array): Promise<string> {
    return this.#answer(() => {
      const name = createHash('sha256').update(bytes).digest('hex');
      this.blobs.set(name, Buffer.from(bytes));
      return name;
    });
  }

  appendHeld(events: readonly RunEvent[], own: LeaseHolding): Promise<void> {
    return this.#answer(() => {
      const [lost] = this.#lostOf([own]);
      if (lost !== undefined) throw leaseLost(lost);
      this.#push(events);
    });
  }

  acquireLeases(request: LeaseRequest): Promise<LeaseAnswer> {
    return this.#answer(() => {
      const taken: { hostId: string; fence: number }[] = [];
      const refused: { hostId: string; run: string; holder: Operator; expiresMs: number }[] = [];
      for (const hostId of request.hostIds) {
        const held = this.leases.get(hostId);
        if (held !== undefined && isHeldAgainst(held, request)) {
          const expiresMs = request.nowMs + leaseLeftMs(held, momentOf(request));
          refused.push({ hostId, run: held.run, holder: held.holder, expiresMs });
          continue;
        }
        this.#fence += 1;
        const { run, holder } = request;
        this.leases.set(hostId, { run, holder, fence: this.#fence, ...expiryOf(request) });
        taken.push({ hostId, fence: this.#fence });
      }
      return { taken, refused };
    });
  }

  renewLeases(request: LeaseRenewal): Promise<readonly LostLease[]> {
    return this.#answer(() => {
      const lost = this.#lostOf(request.leases);
      for (const own of request.leases) {
        const held = this.leases.get(own.hostId);
        if (held !== undefined && isOurs(held, own)) this.leases.set(own.hostId, { ...held, ...expiryOf(request) });
      }
      return lost;
    });
  }

  releaseLeases(leases: readonly LeaseHolding[]): Promise<void> {
    return this.#answer(() => {
      for (const own of leases) if (isOurs(this.leases.get(own.hostId), own)) this.leases.delete(own.hostId);
    });
  }

  #lostOf(leases: readonly LeaseHolding[]): LostLease[] {
    return leases.flatMap((own): LostLease[] => {
      const held = this.leases.get(own.hostId);
      if (isOurs(held, own)) return [];
      const { hostId, run } = own;
      return [held === undefined ? { hostId, run } : { hostId, run: held.run, holder: held.holder }];
    });
  }

  stopRequested(run: string): Promise<boolean> {
    return this.#answer(() => this.stopAsked.has(run));
  }

  knownManagers(hostId: string): Promise<readonly string[] | undefined> {
    return this.#answer(() => {
      const last = this.events.findLast((event) => event.type === 'host.scanned' && event.hostId === hostId);
      return last?.type === 'host.scanned' ? last.scan.managers : undefined;
    });
  }

  requestStop(run: string): Promise<void> {
    return this.#answer(() => void this.stopAsked.add(run));
  }

  withdrawStop(run: string): Promise<void> {
    return this.#answer(() => void this.stopAsked.delete(run));
  }

  abandonLease(run: string, hostId: string): Promise<void> {
    return this.#answer(() => {
      if (this.leases.get(hostId)?.run === run) this.leases.delete(hostId);
    });
  }

  recordedFacts(run: string, hostId: string): Promise<RecordedFacts> {
    return this.#answer(() => {
      const own = this.events.filter((event) => 'hostId' in event && event.run === run && event.hostId === hostId);
      const scans = own.flatMap((event) =>
        event.type === 'host.scanned' && event.purpose === 'before' ? [event.scan] : [],
      );
      const results = own.flatMap((event) => (event.type === 'update.finished' ? [event.results] : []));
      const installs = own.filter((event) => event.type === 'step.started' && event.step === 'install');
      const install = installs.at(-1);
      const adjustment = install?.type === 'step.started' ? install.adjustment : undefined;
      const [before, last] = [scans.at(-1), results.at(-1)];
      return {
        ...(before === undefined ? {} : { before }),
        ...(last === undefined ? {} : { results: last }),
        ...(adjustment === undefined ? {} : { adjustment }),
      };
    });
  }

  runState(run: string): Promise<RunState | undefined> {
    return this.#answer(() => runState(this.timed, run));
  }

  ofType<T extends RunEvent['type']>(type: T): Extract<RunEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
  }

  #answer<T>(action: () => T): Promise<T> {
    return this.broken === undefined ? Promise.try(action) : Promise.reject(this.broken);
  }
}

function expiryOf(request: Pick<LeaseRequest, 'nowMs' | 'expiresMs' | 'boot'>): Pick<StoredLease, 'expiresMs'> {
  const expiresAt = bootExpiry(request);
  return { expiresMs: request.expiresMs, ...(expiresAt === undefined ? {} : { expiresAt }) };
}
