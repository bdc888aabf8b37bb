import type { RunEvent } from '../../src/domain/event.ts';
import type {
  LeaseAnswer,
  LeaseHolding,
  LeaseRenewal,
  LeaseRequest,
  LostLease,
  RecordedFacts,
  RunRecord,
  RunState,
} from '../../src/domain/record.ts';
import type { MemoryRecord } from './memory-record.ts';

/** A controller process that is killed at the nth point it passes; whatever it tries afterwards has no effect. */
export class MortalProcess {
  readonly passed: string[] = [];
  readonly #killAt: number;

  /** `killAt` counts from 0; `Infinity` lives on. */
  constructor(killAt: number) {
    this.#killAt = killAt;
  }

  get isDead(): boolean {
    return this.passed.length > this.#killAt;
  }

  /** The point at which it died. */
  get death(): string | undefined {
    return this.passed[this.#killAt];
  }

  readonly gate = (point: string): void => {
    if (this.isDead) throw new Error('killed');
    this.passed.push(point);
    if (this.isDead) throw new Error('killed');
  };
}

/** The record as one process reaches it: its death cuts before or after each commit. */
export class MortalRecord implements RunRecord {
  readonly #record: MemoryRecord;
  readonly #process: MortalProcess;

  constructor(record: MemoryRecord, process: MortalProcess) {
    this.#record = record;
    this.#process = process;
  }

  append(events: readonly RunEvent[]): Promise<void> {
    return this.#through(`append ${events.map((event) => event.type).join('+')}`, () => this.#record.append(events));
  }

  putBlob(bytes: Uint8Array): Promise<string> {
    return this.#through('putBlob', () => this.#record.putBlob(bytes));
  }

  acquireLeases(request: LeaseRequest): Promise<LeaseAnswer> {
    return this.#through('acquireLeases', () => this.#record.acquireLeases(request));
  }

  appendHeld(events: readonly RunEvent[], own: LeaseHolding): Promise<void> {
    const point = `append ${events.map((event) => event.type).join('+')}`;
    return this.#through(point, () => this.#record.appendHeld(events, own));
  }

  renewLeases(request: LeaseRenewal): Promise<readonly LostLease[]> {
    return this.#through('renewLeases', () => this.#record.renewLeases(request));
  }

  releaseLeases(leases: readonly LeaseHolding[]): Promise<void> {
    return this.#through('releaseLeases', () => this.#record.releaseLeases(leases));
  }

  runState(run: string): Promise<RunState | undefined> {
    return this.#record.runState(run);
  }

  recordedFacts(run: string, hostId: string): Promise<RecordedFacts> {
    return this.#record.recordedFacts(run, hostId);
  }

  knownManagers(hostId: string): Promise<readonly string[] | undefined> {
    return this.#record.knownManagers(hostId);
  }

  stopRequested(run: string): Promise<boolean> {
    return this.#record.stopRequested(run);
  }

  async #through<T>(point: string, action: () => Promise<T>): Promise<T> {
    this.#process.gate(`before ${point}`);
    const value = await action();
    this.#process.gate(`after ${point}`);
    return value;
  }
}
