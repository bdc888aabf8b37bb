// The thread that owns the connection: a lock held by another process stops this thread, never the event loop.
import { parentPort, workerData } from 'node:worker_threads';
import { appendEvents, type TimedEvent } from './events/chain.ts';
import { toErrorRecord, type ErrorRecord } from '../domain/error.ts';
import { leaseLost } from '../domain/lease.ts';
import type { LeaseHolding } from '../domain/record.ts';
import { openConnection } from './store/connection.ts';
import { lostOf } from './store/leases.ts';
import { operations, type OperationName } from './operations.ts';
import { immediately, ledgerError, type Connection } from './store/sqlite.ts';

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

let connection: Connection | undefined;
answer(0, () => {
  connection = openConnection(path, isReadonly);
});

interface Waiting {
  readonly id: number;
  readonly events: readonly TimedEvent[];
  /** The lease that must be ours for it. */
  readonly own: LeaseHolding | undefined;
}

const waiting: Waiting[] = [];
/** Between two commits at least. One host's steps are further apart; those of a fleet share a sync. Milliseconds. */
const commitGapMs = 20;
let committedMs = Number.NEGATIVE_INFINITY;

function flushSoon(): void {
  const waitMs = committedMs + commitGapMs - performance.now();
  if (waitMs > 0) setTimeout(flush, waitMs);
  else setImmediate(flush);
}

/** Appends that came together are committed together; one whose lease was lost is left out. */
function flush(): void {
  const batch = waiting.splice(0);
  if (batch.length === 0 || connection === undefined) return;
  const open = connection;
  try {
    const refused = immediately(open, () => appendBatch(open, batch));
    committedMs = performance.now();
    for (const { id } of batch) port?.postMessage({ id, error: refused.get(id) });
  } catch (cause) {
    const error = toErrorRecord(ledgerError(path, cause));
    for (const { id } of batch) port?.postMessage({ id, error });
  }
}

function appendBatch(open: Connection, batch: readonly Waiting[]): ReadonlyMap<number, ErrorRecord> {
  const refused = new Map<number, ErrorRecord>();
  const events: TimedEvent[] = [];
  for (const item of batch) {
    const [lost] = item.own === undefined ? [] : lostOf(open, [item.own]);
    if (lost === undefined) events.push(...item.events);
    else refused.set(item.id, toErrorRecord(leaseLost(lost)));
  }
  appendEvents(open, events);
  return refused;
}

port.on('message', ({ id, operation, arguments: given }: WorkerRequest) => {
  if (connection === undefined) return;
  const open = connection;
  if (operation === 'append') {
    waiting.push({ id, events: given[0] as readonly TimedEvent[], own: given[1] as LeaseHolding | undefined });
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
