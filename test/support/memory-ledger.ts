import { leaseLeftMs } from '../../src/domain/lease.ts';
import type { LedgerReader } from '../../src/domain/ledger-reader.ts';
import type { LeaseHolder } from '../../src/domain/record.ts';
import type {
  HistoryAnswer,
  HistoryQuestion,
  HostRow,
  HostStatusRow,
  LogRow,
  PackagesAnswer,
  PendingUpdateRow,
  RebootsAnswer,
  RunDetail,
  RunRow,
  StatusQuestion,
} from '../../src/domain/report.ts';
import type { Inventory } from '../../src/domain/scan.ts';
import { historyOf, hostRows, hostStatus, packagesAt, pendingUpdates, reboots } from './memory-fleet.ts';
import { MemoryRecord } from './memory-record.ts';
import { ofType } from './memory-run-state.ts';
import { findRun, logRows, runDetail, runRows } from './memory-runs.ts';

/** Both sides of a ledger in memory. Every answer is worked out anew from the events, so it needs no tables. */
export class MemoryLedger extends MemoryRecord implements LedgerReader, AsyncDisposable {
  async runs(limit: number): Promise<readonly RunRow[]> {
    return runRows(this.timed).slice(0, limit);
  }

  async findRun(id?: string, toVerify = false): Promise<RunRow> {
    return findRun(this.timed, id, toVerify);
  }

  async showRun(run: string): Promise<RunDetail | undefined> {
    return runDetail(this.timed, run);
  }

  async runLogs(run: string, host: string): Promise<readonly LogRow[]> {
    return logRows(this.timed, { run, host }, (sha256) => this.blobs.get(sha256));
  }

  async planHashes(plan: string): Promise<readonly string[]> {
    const created = ofType(this.timed, 'plan.created').filter(({ event }) => event.plan === plan);
    return [...new Set(created.map(({ event }) => event.sha256))];
  }

  async hostStatus(question: StatusQuestion): Promise<readonly HostStatusRow[]> {
    return hostStatus(this.timed, question);
  }

  async hosts(asOfMs: number): Promise<readonly HostRow[]> {
    return hostRows(this.timed, asOfMs);
  }

  async pendingUpdates(asOfMs: number): Promise<readonly PendingUpdateRow[]> {
    return pendingUpdates(this.timed, asOfMs);
  }

  async packagesAt(host: string, asOfMs: number): Promise<PackagesAnswer | undefined> {
    return packagesAt(this.timed, host, asOfMs);
  }

  async reboots(asOfMs: number): Promise<RebootsAnswer> {
    return reboots(this.timed, asOfMs);
  }

  async history(question: HistoryQuestion): Promise<HistoryAnswer | undefined> {
    return historyOf(this.timed, question);
  }

  async inventoryOf(hostId: string): Promise<Inventory | undefined> {
    return ofType(this.timed, 'host.scanned').findLast(({ event }) => event.hostId === hostId)?.event.scan.inventory;
  }

  async getBlob(sha256: string): Promise<Uint8Array | undefined> {
    return this.blobs.get(sha256);
  }

  async leaseHolders(run: string, controller: string): Promise<readonly LeaseHolder[]> {
    const nowMs = this.clock.now();
    const held = [...this.leases.values()].filter((lease) => lease.run === run);
    const left = held.map((lease) => ({ holder: lease.holder, leftMs: leaseLeftMs(lease, { nowMs, controller }) }));
    const byHolder = new Map(
      left.filter(({ leftMs }) => leftMs > 0).map((item) => [JSON.stringify(item.holder), item]),
    );
    return [...byHolder.values()].map(({ holder, leftMs }) => ({ holder, expiresMs: nowMs + leftMs }));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
