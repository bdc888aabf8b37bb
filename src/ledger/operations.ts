// What may be asked of the worker, by name.
import type { LeaseMoment } from '../domain/lease.ts';
import type { LeaseHolding, LeaseRenewal, LeaseRequest } from '../domain/record.ts';
import type { HistoryQuestion, StatusQuestion } from '../domain/report.ts';
import { getBlob, putBlob } from './store/blob.ts';
import { backup } from './store/backup.ts';
import { holdsHead, readHead, type Head } from './events/chain.ts';
import { checkFile, checkRecord, checkTables, readStats, type TableShare } from './events/check.ts';
import { rebuild } from './events/rebuild.ts';
import { history } from './queries/history.ts';
import { hosts, packagesAt, pendingUpdates, reboots } from './queries/hosts.ts';
import { inventoryOf } from './queries/inventory.ts';
import {
  abandonLease,
  acquireLeases,
  leaseHolders,
  releaseLeases,
  renewLeases,
  requestStop,
  stopRequested,
  withdrawStop,
} from './store/leases.ts';
import { findRun, listRuns, planHashes, readLogs, showRun } from './queries/runs.ts';
import { readKnownManagers, readRecordedFacts, readRunState } from './queries/run-state.ts';
import { hostStatus } from './queries/status.ts';
import { immediately, type Connection } from './store/sqlite.ts';

type Operation = (connection: Connection, path: string, given: readonly unknown[]) => unknown;

const text = (value: unknown): string => String(value);

export const operations = {
  putBlob: (connection, _path, [bytes]) => immediately(connection, () => putBlob(connection, bytes as Uint8Array)),
  getBlob: (connection, _path, [sha256]) => getBlob(connection, text(sha256)),
  acquireLeases: (connection, _path, [request]) => acquireLeases(connection, request as LeaseRequest),
  leaseHolders: (connection, _path, [run, moment]) => leaseHolders(connection, text(run), moment as LeaseMoment),
  renewLeases: (connection, _path, [request]) => renewLeases(connection, request as LeaseRenewal),
  releaseLeases: (connection, _path, [leases]) => releaseLeases(connection, leases as readonly LeaseHolding[]),
  abandonLease: (connection, _path, [run, hostId]) => abandonLease(connection, text(run), text(hostId)),
  requestStop: (connection, _path, [run, nowMs]) => requestStop(connection, text(run), Number(nowMs)),
  withdrawStop: (connection, _path, [run]) => withdrawStop(connection, text(run)),
  stopRequested: (connection, _path, [run]) => stopRequested(connection, text(run)),
  runState: (connection, _path, [run]) => readRunState(connection, text(run)),
  recordedFacts: (connection, _path, [run, hostId]) => readRecordedFacts(connection, text(run), text(hostId)),
  knownManagers: (connection, _path, [hostId]) => readKnownManagers(connection, text(hostId)),
  runs: (connection, _path, [limit]) => listRuns(connection, Number(limit)),
  findRun: (connection, _path, [id, toVerify]) =>
    findRun(connection, id === undefined ? undefined : text(id), toVerify === true),
  planHashes: (connection, _path, [id]) => planHashes(connection, text(id)),
  showRun: (connection, _path, [run]) => showRun(connection, text(run)),
  runLogs: (connection, _path, [run, host]) => readLogs(connection, text(run), text(host)),
  hostStatus: (connection, _path, [question]) => hostStatus(connection, question as StatusQuestion),
  pendingUpdates: (connection, _path, [asOfMs]) => pendingUpdates(connection, Number(asOfMs)),
  hosts: (connection, _path, [asOfMs]) => hosts(connection, Number(asOfMs)),
  packagesAt: (connection, _path, [host, asOfMs]) => packagesAt(connection, text(host), Number(asOfMs)),
  reboots: (connection, _path, [asOfMs]) => reboots(connection, Number(asOfMs)),
  history: (connection, _path, [question]) => history(connection, question as HistoryQuestion),
  inventoryOf: (connection, _path, [hostId]) => inventoryOf(connection, text(hostId)),
  checkRecord: (connection, _path, [saved]) => checkRecord(connection, saved as readonly Head[]),
  checkTables: (connection, _path, [share]) => checkTables(connection, share as TableShare),
  checkFile: (connection) => checkFile(connection),
  holdsHead: (connection, _path, [head]) => holdsHead(connection, head as Head),
  rebuild: (connection) => rebuild(connection),
  stats: (connection, path) => readStats(connection, path),
  head: (connection) => readHead(connection),
  backup: (connection, _path, [target]) => backup(connection, text(target)),
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationName = keyof typeof operations;
