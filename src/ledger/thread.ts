import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { FettleError, type ErrorRecord } from '../domain/error.ts';
import type { UpgradeProgress } from './events/rebuild.ts';
import type { LedgerFile, WorkerRequest } from './worker.ts';

interface WorkerAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: ErrorRecord;
}

/** While `open` is not answered yet. */
interface UpgradeMessage {
  readonly upgrade: UpgradeProgress;
}

/** What the thread needs to know before its code is loaded. */
export interface ThreadStart {
  /** The directory that holds the cache of compiled code, as `enableCompileCache` takes it; undefined where there is none. */
  readonly compileCache: string | undefined;
}

/**
 * The thread that owns the connection, as its owner sees it: questions go in, answers come back in order. Its code is loaded
 * at once, but until a ledger is opened it touches no file. One that nothing is opened by has to be ended.
 */
export class LedgerThread {
  #path: string | undefined;
  readonly #worker: Worker;
  readonly #pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: FettleError) => void }>();
  #nextId = 0;
  #failure: Error | undefined;
  #onUpgrade: (progress: UpgradeProgress) => void = () => undefined;

  constructor() {
    const cache = getCompileCacheDir();
    // Node.js puts a folder for its own version into the directory that it is given.
    const start: ThreadStart = { compileCache: cache === undefined ? undefined : dirname(cache) };
    this.#worker = new Worker(new URL('./worker-start.ts', import.meta.url), { workerData: start });
    this.#worker.on('message', (message: WorkerAnswer | UpgradeMessage) => {
      if ('upgrade' in message) this.#onUpgrade(message.upgrade);
      else this.#settle(message);
    });
    this.#worker.on('error', (cause: Error) => this.#fail(cause));
    this.#worker.on('exit', () => this.#fail(new Error('its thread ended')));
  }

  /** Once. What fails ends the thread. `onUpgrade` is called where an older fettle wrote the ledger. */
  async open(file: LedgerFile, onUpgrade?: (progress: UpgradeProgress) => void): Promise<void> {
    this.#path = file.path;
    if (onUpgrade !== undefined) this.#onUpgrade = onUpgrade;
    try {
      await this.ask('open', [file]);
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  /** Whatever it is at. */
  async end(): Promise<void> {
    await this.#worker.terminate();
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
    if (this.#failure !== undefined) throw this.#closed(this.#failure);
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
    this.#failure ??= cause;
    for (const waiter of this.#pending.values()) waiter.reject(this.#closed(this.#failure));
    this.#pending.clear();
  }

  #closed(cause: Error): FettleError {
    return new FettleError('ledger', `the ledger ${this.#path ?? ''} is closed: ${cause.message}`, { cause });
  }
}
