import { Worker } from 'node:worker_threads';
import { FettleError, type ErrorRecord } from '../domain/error.ts';
import type { WorkerData, WorkerRequest } from './worker.ts';

interface WorkerAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: ErrorRecord;
}

/** The thread that owns the connection, as its owner sees it: questions go in, answers come back in order. */
export class LedgerThread {
  readonly opened: Promise<unknown>;
  readonly #path: string;
  readonly #worker: Worker;
  readonly #pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: FettleError) => void }>();
  #nextId = 1;
  #failure: FettleError | undefined;

  constructor(data: WorkerData) {
    this.#path = data.path;
    const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: data });
    this.#worker.on('message', (answer: WorkerAnswer) => this.#settle(answer));
    this.#worker.on('error', (cause) => this.#fail(cause));
    this.#worker.on('exit', () => this.#fail(new Error('its thread ended')));
    this.opened = this.#expect(0).catch(async (error: unknown) => {
      await this.#worker.terminate();
      throw error;
    });
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** `handed` are moved to the thread instead of copied. */
  async ask(
    operation: WorkerRequest['operation'],
    given: readonly unknown[],
    handed: ArrayBuffer[] = [],
  ): Promise<unknown> {
    if (this.#failure !== undefined) throw this.#failure;
    const id = this.#nextId++;
    const answer = this.#expect(id);
    const request: WorkerRequest = { id, operation, arguments: given };
    this.#worker.postMessage(request, handed);
    return answer;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#worker.once('exit', resolve));
    await this.ask('close', []).catch(() => undefined);
    await closed;
  }

  #expect(id: number): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { resolve, reject });
    return promise;
  }

  #settle({ id, value, error }: WorkerAnswer): void {
    const waiter = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) waiter?.resolve(value);
    else waiter?.reject(new FettleError(error.code === 'internal' ? 'ledger' : error.code, error.message, error));
  }

  #fail(cause: Error): void {
    this.#failure ??= new FettleError('ledger', `the ledger ${this.#path} is closed: ${cause.message}`, { cause });
    for (const waiter of this.#pending.values()) waiter.reject(this.#failure);
    this.#pending.clear();
  }
}
