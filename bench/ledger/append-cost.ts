// What one more event costs in a ledger of one week and in one of a year.
import { copyFileSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appendEvents, type TimedEvent } from '../../src/ledger/events/chain.ts';
import { refill } from '../../src/ledger/events/rebuild.ts';
import { openConnection } from '../../src/ledger/store/connection.ts';
import { putBlob } from '../../src/ledger/store/blob.ts';
import { sentEvent } from '../../src/ledger/events/sent-event.ts';
import type { Connection } from '../../src/ledger/store/sqlite.ts';
import { median } from '../report.ts';
import { FleetModel } from './fleet-model.ts';
import { HostRun } from './host-run-events.ts';
import { seededRandom } from './random.ts';
import { endOfYear, type Year } from './year.ts';

export interface AppendCost {
  /** Medians of one event in a transaction of its own, microseconds; `synced` waits for the disk. */
  readonly earlyUs: number;
  readonly lateUs: number;
  readonly earlySyncedUs: number;
  readonly lateSyncedUs: number;
  readonly events: number;
}

const hosts = 24;

/** On copies, event by event in turn, each a commit as in a run. */
export function appendCost(year: Year): AppendCost {
  const directory = mkdtempSync(join(tmpdir(), 'fettle-bench-append-'));
  try {
    const [early, late] = [year.firstWeekPath, year.path].map((path, at) => {
      const copy = join(directory, `${at}.db`);
      copyFileSync(path, copy, constants.COPYFILE_FICLONE);
      return openConnection(copy, false, refill);
    });
    if (early === undefined || late === undefined) throw new Error('there are no copies');
    const events = someEvents(year, [early, late]);
    const synced = pacedReading(events, early, late);
    for (const connection of [early, late]) connection.pragma('synchronous = OFF');
    const bare = pacedReading(events, early, late);
    for (const connection of [early, late]) connection.close();
    return {
      earlyUs: bare.early,
      lateUs: bare.late,
      earlySyncedUs: synced.early,
      lateSyncedUs: synced.late,
      events: events.length,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What a few hosts leave in a run of the week after. */
function someEvents(year: Year, connections: readonly Connection[]): readonly TimedEvent[] {
  const fleet = new FleetModel(hosts, year.weeks);
  const keepOutput = (text: string): string =>
    connections.map((connection) => putBlob(connection, Buffer.from(text)))[0] ?? '';
  const ports = { fleet, run: '01ZZZZZZZZZZZZZZZZZZZZZZZZ', week: 1, startMs: endOfYear(year), keepOutput };
  const random = seededRandom(4);
  const events = fleet.hosts.flatMap((host) => new HostRun(host, { ...ports, random }).events(1));
  return events.map(({ timeMs, event }) => ({ timeMs, event: sentEvent(event) }));
}

function pacedReading(
  events: readonly TimedEvent[],
  early: Connection,
  late: Connection,
): { early: number; late: number } {
  const earlyUs: number[] = [];
  const lateUs: number[] = [];
  for (const event of events) {
    earlyUs.push(timeOf(early, event));
    lateUs.push(timeOf(late, event));
  }
  return { early: median(earlyUs), late: median(lateUs) };
}

function timeOf(connection: Connection, event: TimedEvent): number {
  const startedMs = performance.now();
  appendEvents(connection, [event]);
  return (performance.now() - startedMs) * 1_000;
}
