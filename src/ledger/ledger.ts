import type { Clock } from '../base/clock.ts';
import type { RunEvent } from '../domain/event.ts';
import type { LedgerReader } from '../domain/ledger-reader.ts';
import type {
  LeaseAnswer,
  LeaseHolder,
  LeaseHolding,
  LeaseRenewal,
  LeaseRequest,
  LostLease,
  RecordedFacts,
  RunControl,
  RunRecord,
  RunState,
} from '../domain/record.ts';
import type {
  HistoryAnswer,
  HistoryQuestion,
  HostRow,
  HostStatusRow,
  LedgerCheck,
  LedgerStats,
  LogRow,
  PackagesAnswer,
  PendingUpdateRow,
  RebootsAnswer,
  RunDetail,
  RunRow,
  StatusQuestion,
} from '../domain/report.ts';
import type { Inventory } from '../domain/scan.ts';
import type { UpgradeProgress } from './events/rebuild.ts';
import type { Head, TimedEvent } from './events/chain.ts';
import { addSavedHead, formatHead, readSavedHeads } from './events/heads.ts';
import type { RecordCheck, TableShare } from './events/check.ts';
import { noSuchRun, noWorkingRun } from './queries/no-such-run.ts';
import type { OperationName } from './operations.ts';
import { handedOver, sentEvent } from './events/sent-event.ts';
import { anchorOf, type Anchor } from './anchor.ts';
import { LedgerThread } from './thread.ts';

export interface LedgerOptions {
  readonly path: string;
  readonly clock: Clock;
  /** A ledger that is not there is then an error, and nothing is written. */
  readonly readonly?: boolean;
  readonly thread?: LedgerThread | undefined;
  /** Receives the head at the start, detach and end of each run; must not reject. */
  readonly announce?: (anchor: Anchor) => Promise<void>;
  /** Called while a ledger that an older fettle wrote is upgraded, or its copy where it is opened to read. */
  readonly onUpgrade?: (progress: UpgradeProgress) => void;
}

/** Every failure is `FettleError('ledger')` that names the file and what to do. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const ledger = new Ledger(options);
  await ledger.opened;
  return ledger;
}

/** The record of everything that happened, in one SQLite file owned by a worker thread. */
export class Ledger implements RunRecord, RunControl, LedgerReader, AsyncDisposable {
  readonly path: string;
  readonly opened: Promise<unknown>;
  readonly #clock: Clock;
  readonly #thread: LedgerThread;
  readonly #isReadonly: boolean;
  readonly #announce: (anchor: Anchor) => Promise<void>;
  #hasAppended = false;
  #anchoring: Promise<void> = Promise.resolve();
  #isMismatchNoted = false;

  constructor(options: LedgerOptions) {
    const { path, clock, readonly: isReadonly = false, thread, onUpgrade } = options;
    this.#announce = options.announce ?? (async () => undefined);
    this.path = path;
    this.#clock = clock;
    this.#isReadonly = isReadonly;
    this.#thread = thread ?? new LedgerThread();
    this.opened = this.#thread.open({ path, isReadonly }, onUpgrade);
  }

  async #query<T>(operation: OperationName, ...given: readonly unknown[]): Promise<T> {
    return (await this.#thread.ask(operation, given)) as T;
  }

  append(events: readonly RunEvent[]): Promise<void> {
    return this.#append(events);
  }

  appendHeld(events: readonly RunEvent[], own: LeaseHolding): Promise<void> {
    return this.#append(events, own);
  }

  async #append(events: readonly RunEvent[], own?: LeaseHolding): Promise<void> {
    if (events.length === 0) return;
    this.#hasAppended = true;
    const timeMs = this.#clock.now();
    const sent = events.map(sentEvent);
    const timed = sent.map((event): TimedEvent => ({ timeMs, event }));
    await this.#thread.ask('append', [timed, own], handedOver(sent));
    const anchor = anchorOf(events);
    if (anchor === undefined) return;
    this.#anchoring = this.#anchoring.then(() => this.#anchor(anchor));
    // A run that begins need not wait for it: what follows in the chain leads back to its start. A failure is reported at its end.
    if (anchor.event === 'run.started') this.#anchoring.catch(() => undefined);
    else await this.#anchoring;
  }

  putBlob(bytes: Uint8Array): Promise<string> {
    return this.#query('putBlob', bytes);
  }

  getBlob(sha256: string): Promise<Uint8Array | undefined> {
    return this.#query('getBlob', sha256);
  }

  acquireLeases(request: LeaseRequest): Promise<LeaseAnswer> {
    return this.#query('acquireLeases', request);
  }

  leaseHolders(run: string, controller: string): Promise<readonly LeaseHolder[]> {
    const boot = this.#clock.sinceBoot?.();
    const moment = { nowMs: this.#clock.now(), controller, ...(boot === undefined ? {} : { boot }) };
    return this.#query('leaseHolders', run, moment);
  }

  renewLeases(request: LeaseRenewal): Promise<readonly LostLease[]> {
    return this.#query('renewLeases', request);
  }

  releaseLeases(leases: readonly LeaseHolding[]): Promise<void> {
    return this.#query('releaseLeases', leases);
  }

  abandonLease(run: string, hostId: string): Promise<void> {
    return this.#query('abandonLease', run, hostId);
  }

  runState(run: string): Promise<RunState | undefined> {
    return this.#query('runState', run);
  }

  recordedFacts(run: string, hostId: string): Promise<RecordedFacts> {
    return this.#query('recordedFacts', run, hostId);
  }

  knownManagers(hostId: string): Promise<readonly string[] | undefined> {
    return this.#query('knownManagers', hostId);
  }

  requestStop(run: string): Promise<void> {
    return this.#query('requestStop', run, this.#clock.now());
  }

  withdrawStop(run: string): Promise<void> {
    return this.#query('withdrawStop', run);
  }

  stopRequested(run: string): Promise<boolean> {
    return this.#query('stopRequested', run);
  }

  runs(limit: number): Promise<readonly RunRow[]> {
    return this.#query('runs', limit);
  }

  planHashes(id: string): Promise<readonly string[]> {
    return this.#query('planHashes', id);
  }

  async findRun(id?: string, toVerify = false): Promise<RunRow> {
    const [found, another] = await this.#query<readonly RunRow[]>('findRun', id, toVerify);
    if (found !== undefined && (another === undefined || found.run === id)) return found;
    throw id === undefined ? noWorkingRun(await this.runs(1), toVerify) : noSuchRun(id, found !== undefined);
  }

  showRun(run: string): Promise<RunDetail | undefined> {
    return this.#query('showRun', run);
  }

  runLogs(run: string, host: string): Promise<readonly LogRow[]> {
    return this.#query('runLogs', run, host);
  }

  hostStatus(question: StatusQuestion): Promise<readonly HostStatusRow[]> {
    return this.#query('hostStatus', question);
  }

  pendingUpdates(asOfMs: number): Promise<readonly PendingUpdateRow[]> {
    return this.#query('pendingUpdates', asOfMs);
  }

  hosts(asOfMs: number): Promise<readonly HostRow[]> {
    return this.#query('hosts', asOfMs);
  }

  packagesAt(host: string, asOfMs: number): Promise<PackagesAnswer | undefined> {
    return this.#query('packagesAt', host, asOfMs);
  }

  reboots(asOfMs: number): Promise<RebootsAnswer> {
    return this.#query('reboots', asOfMs);
  }

  history(question: HistoryQuestion): Promise<HistoryAnswer | undefined> {
    return this.#query('history', question);
  }

  inventoryOf(hostId: string): Promise<Inventory | undefined> {
    return this.#query('inventoryOf', hostId);
  }

  head(): Promise<Head> {
    return this.#query('head');
  }

  stats(): Promise<LedgerStats> {
    return this.#query('stats');
  }

  /** Checks against the heads saved beside the file and those given. Shares the work among three threads. */
  async verify(given: readonly Head[] = []): Promise<LedgerCheck> {
    const saved = await readSavedHeads(this.path);
    const reader = { path: this.path, clock: this.#clock, readonly: true };
    await using second = await openLedger(reader);
    await using third = await openLedger(reader);
    const [{ isChainSound, ...record }, ...tables] = await Promise.all([
      this.#query<RecordCheck>('checkRecord', [...given, ...saved]),
      second.#checkTables('hosts'),
      third.#checkTables('work'),
    ]);
    const latest = saved.at(-1);
    const heads = {
      saved: saved.length,
      given: given.map(formatHead),
      ...(latest === undefined ? {} : { latestSaved: formatHead(latest) }),
    };
    // Tables made from altered events differ for a reason that is reported already.
    const problems = isChainSound ? [...record.problems, ...tables.flat()] : record.problems;
    return { ...record, heads, problems };
  }

  #checkTables(share: TableShare): Promise<readonly string[]> {
    return this.#query('checkTables', share);
  }

  /** A whole copy with its heads, while others write; both are their owner's alone. */
  async backup(target: string): Promise<void> {
    const saved = await readSavedHeads(this.path);
    await this.#query<void>('backup', target);
    for (const head of saved) await addSavedHead(target, head, 'backup');
  }

  checkFile(): Promise<readonly string[]> {
    return this.#query('checkFile');
  }

  rebuild(): Promise<void> {
    return this.#query('rebuild');
  }

  /**
   * Saves the head beside the file, unless the chain does not hold the one that was saved last: then the saved ones stay
   * as they are, a note in the chain records that, and the answer is undefined.
   */
  async saveHead(occasion: string): Promise<Head | undefined> {
    const head = await this.head();
    const latest = (await readSavedHeads(this.path)).at(-1);
    if (latest?.hash === head.hash) return head;
    if (latest !== undefined && !(await this.#query<boolean>('holdsHead', latest))) {
      const message = `the chain does not contain the head saved last (${formatHead(latest)}): this ledger was replaced or truncated`;
      if (!this.#isMismatchNoted) await this.#append([{ type: 'note', level: 'warn', message }]);
      this.#isMismatchNoted = true;
      return undefined;
    }
    await addSavedHead(this.path, head, `${new Date(this.#clock.now()).toISOString()} ${occasion}`);
    return head;
  }

  /** At the start, detach and end of a run: the head is saved, and published to whoever keeps it elsewhere. */
  async #anchor({ event, run }: Omit<Anchor, 'head'>): Promise<void> {
    // A place that takes no file beside the ledger is no reason to stop a run.
    const head = await this.saveHead(`${event} ${run}`).catch(() => this.head());
    await this.#announce({ event, run, head });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#anchoring.catch(() => undefined);
    if (this.#thread.hasFailed) return;
    if (this.#hasAppended && !this.#isReadonly) await this.saveHead('closed').catch(() => undefined);
    await this.#thread.close();
  }
}
