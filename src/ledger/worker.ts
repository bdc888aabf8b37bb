// The thread that owns the connection: a lock held by another process stops this thread, never the event loop.
import { parentPort } from 'node:worker_threads';
import { appendEvents, type TimedEvent } from './events/chain.ts';
import { toErrorRecord, type ErrorRecord } from '../domain/error.ts';
import { leaseLost } from '../domain/lease.ts';
import type { LeaseHolding } from '../domain/record.ts';
import { refill, type UpgradeProgress } from './events/rebuild.ts';
import { openConnection } from './store/connection.ts';
import { lostOf } from './store/leases.ts';
import { operations, type OperationName } from './operations.ts';
import { immediately, ledgerError, type Connection } from './store/sqlite.ts';

export interface LedgerFile {
  readonly path: string;
  readonly isReadonly: boolean;
}

/** `open` comes first, once. */
export interface WorkerRequest {
  readonly id: number;
  readonly operation: OperationName | 'open' | 'append' | 'close';
  readonly arguments: readonly unknown[];
}

const port = parentPort;
if (port === null) throw new Error('the ledger worker was started outside a worker thread');

function answer(id: number, work: () => unknown): void {
  try {
    port?.postMessage({ id, value: work() });
  } catch (cause) {
    port?.postMessage({ id, error: toErrorRecord(ledgerError(path, cause)) });
  }
}

let path = '';
let connection: Connection | undefined;

function open(file: LedgerFile): void {
  path = file.path;
  const report = (upgrade: UpgradeProgress): void => port?.postMessage({ upgrade });
  connection = openConnection(path, file.isReadonly, (older) => refill(older, report));
}

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

/** The beginning and the end of a run have nothing to share a sync with, and are waited for. */
function isOfRun(item: Waiting | undefined): boolean {
  return item?.events.some(({ event }) => event.type === 'run.started' || event.type === 'run.finished') === true;
}

/** Appends that came together are committed together; one whose lease was lost is left out. */
function flush(): void {
  const batch = waiting.splice(0);
  if (batch.length === 0 || connection === undefined) return;
  const ours = connection;
  try {
    const refused = immediately(ours, () => appendBatch(ours, batch));
    committedMs = performance.now();
    for (const { id } of batch) port?.postMessage({ id, error: refused.get(id) });
  } catch (cause) {
    const error = toErrorRecord(ledgerError(path, cause));
    for (const { id } of batch) port?.postMessage({ id, error });
  }
}

function appendBatch(ours: Connection, batch: readonly Waiting[]): ReadonlyMap<number, ErrorRecord> {
  const refused = new Map<number, ErrorRecord>();
  const events: TimedEvent[] = [];
  for (const item of batch) {
    const [lost] = item.own === undefined ? [] : lostOf(ours, [item.own]);
    if (lost === undefined) events.push(...item.events);
    else refused.set(item.id, toErrorRecord(leaseLost(lost)));
  }
  appendEvents(ours, events);
  return refused;
}

port.on('message', ({ id, operation, arguments: given }: WorkerRequest) => {
  if (operation === 'open') return answer(id, () => open(given[0] as LedgerFile));
  if (connection === undefined) return;
  const ours = connection;
  if (operation === 'append') {
    waiting.push({ id, events: given[0] as readonly TimedEvent[], own: given[1] as LeaseHolding | undefined });
    if (isOfRun(waiting.at(-1))) setImmediate(flush);
    else if (waiting.length === 1) flushSoon();
    return;
  }
  flush();
  if (operation === 'close') {
    answer(id, () => void ours.close());
    port.close();
    return;
  }
  answer(id, () => operations[operation](ours, path, given));
});
