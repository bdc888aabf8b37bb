// The thread that owns the connection: a lock held by another process stops this thread, never the event loop.
import { parentPort, workerData } from 'node:worker_threads';
import { appendEvents, type TimedEvent } from './chain.ts';
import { toErrorRecord } from '../domain/error.ts';
import { openConnection } from './connection.ts';
import { operations, type OperationName } from './operations.ts';
import { ledgerError } from './sqlite.ts';

export interface WorkerData {
  readonly path: string;
  readonly isReadonly: boolean;
}

export interface WorkerRequest {
  readonly id: number;
  readonly operation: OperationName | 'append' | 'close';
  readonly arguments: readonly unknown[];
}

const { path, isReadonly } = workerData as WorkerData;
const port = parentPort;
if (port === null) throw new Error('the ledger worker was started outside a worker thread');

function answer(id: number, work: () => unknown): void {
  try {
    port?.postMessage({ id, value: work() });
  } catch (cause) {
    port?.postMessage({ id, error: toErrorRecord(ledgerError(path, cause)) });
  }
}

let connection: ReturnType<typeof openConnection> | undefined;
answer(0, () => {
  connection = openConnection(path, isReadonly);
});

const waiting: { id: number; events: readonly TimedEvent[] }[] = [];
/** Between two commits at least. One host's steps are further apart; those of a fleet share a sync. Milliseconds. */
const commitGapMs = 20;
let committedMs = Number.NEGATIVE_INFINITY;

function flushSoon(): void {
  const waitMs = committedMs + commitGapMs - performance.now();
  if (waitMs > 0) setTimeout(flush, waitMs);
  else setImmediate(flush);
}

/** Appends that came together are committed together. */
function flush(): void {
  const batch = waiting.splice(0);
  if (batch.length === 0 || connection === undefined) return;
  const open = connection;
  try {
    appendEvents(
      open,
      batch.flatMap((item) => item.events),
    );
    committedMs = performance.now();
    for (const { id } of batch) port?.postMessage({ id });
  } catch (cause) {
    const error = toErrorRecord(ledgerError(path, cause));
    for (const { id } of batch) port?.postMessage({ id, error });
  }
}

port.on('message', ({ id, operation, arguments: given }: WorkerRequest) => {
  if (connection === undefined) return;
  const open = connection;
  if (operation === 'append') {
    waiting.push({ id, events: given[0] as readonly TimedEvent[] });
    if (waiting.length === 1) flushSoon();
    return;
  }
  flush();
  if (operation === 'close') {
    answer(id, () => void open.close());
    port.close();
    return;
  }
  answer(id, () => operations[operation](open, path, given));
});
