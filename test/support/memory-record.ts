import { createHash } from 'node:crypto';
import { FettleError } from '../../src/domain/error.ts';
import type { Operator, RunEvent, StepName } from '../../src/domain/event.ts';
import { bootExpiry, isHeldAgainst, isOurs, leaseLeftMs, leaseLost, momentOf } from '../../src/domain/lease.ts';
import type { StoredLease } from '../../src/domain/lease.ts';
import { hasPaidHooks } from '../../src/domain/outcome.ts';
import type {
  HostRunState,
  LeaseAnswer,
  LeaseHolding,
  LeaseRenewal,
  LeaseRequest,
  LostLease,
  OpenStep,
  RecordedFacts,
  RunRecord,
  RunState,
} from '../../src/domain/record.ts';

/** A record that lives as long as the test; what a real ledger would answer, read from the events alone. */
export class MemoryRecord implements RunRecord {
  readonly events: RunEvent[] = [];
  readonly blobs = new Map<string, Buffer>();
  readonly leases = new Map<string, StoredLease & { readonly fence: number }>();
  readonly stopAsked = new Set<string>();
  #fence = 0;
  /** When set, every call fails with it from now on: a disk that is full. */
  broken: FettleError | undefined;

  append(events: readonly RunEvent[]): Promise<void> {
    return this.#answer(() => {
      this.events.push(...events);
    });
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
      this.events.push(...events);
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
    return this.#answer(() => {
      const started = this.events.find((event) => event.type === 'run.started' && event.run === run);
      const hosts = new Map<string, HostRunState>();
      let wave: { openWave?: number } = {};
      for (const event of this.events) {
        if (event.type === 'wave.started') wave = { openWave: event.wave };
        if (event.type === 'wave.finished') wave = {};
        if (!('hostId' in event) || event.run !== run) continue;
        const known = hosts.get(event.hostId) ?? unknownHost(event.host, event.hostId);
        hosts.set(event.hostId, advance(known, event));
      }
      return started?.type === 'run.started'
        ? { run, kind: started.kind, startedMs: 0, ...wave, hosts: [...hosts.values()] }
        : { run, kind: 'apply', startedMs: 0, ...wave, hosts: [...hosts.values()] };
    });
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

function unknownHost(host: string, hostId: string): HostRunState {
  return { host, hostId, attempt: 0, doneSteps: [], openSteps: [], reboots: 0 };
}

function advance(state: HostRunState, event: RunEvent): HostRunState {
  switch (event.type) {
    case 'host.started': {
      if (event.attempt <= state.attempt) return state;
      const { host, hostId, reboots, owesAfterHooks = false } = state;
      return {
        host,
        hostId,
        reboots,
        owesAfterHooks,
        attempt: event.attempt,
        doneSteps: [],
        openSteps: state.openSteps,
      };
    }
    case 'step.started': {
      const { step, attempt, job, jobKind, bootIdBefore } = event;
      const open: OpenStep = {
        step,
        attempt,
        ...(job === undefined ? {} : { job }),
        ...(jobKind === undefined ? {} : { jobKind }),
        ...(bootIdBefore === undefined ? {} : { bootIdBefore }),
      };
      const owesAfterHooks = step === 'before_host' || state.owesAfterHooks === true;
      return { ...state, owesAfterHooks, openSteps: [...without(state, step, job), open] };
    }
    case 'step.finished': {
      const doneSteps = event.ok ? [...new Set([...state.doneSteps, event.step])] : state.doneSteps;
      return { ...state, doneSteps, openSteps: without(state, event.step, event.job) };
    }
    case 'host.rebooted':
      return { ...state, reboots: state.reboots + 1 };
    case 'host.finished': {
      const { outcome } = event;
      return { ...state, outcome, owesAfterHooks: state.owesAfterHooks === true && !hasPaidHooks(outcome) };
    }
    default:
      return state;
  }
}

function without(state: HostRunState, step: StepName, job: string | undefined): readonly OpenStep[] {
  return state.openSteps.filter((open) => open.step !== step || open.job !== job);
}
