// A ledger as a year of weekly scans and rollouts on a thousand hosts leaves it, made by the ledger's own append.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ulid } from 'ulid';
import type { RunEvent } from '../../src/domain/event.ts';
import type { LabelSet } from '../../src/domain/labels.ts';
import { putBlob } from '../../src/ledger/store/blob.ts';
import { appendEvents } from '../../src/ledger/events/chain.ts';
import { refill } from '../../src/ledger/events/rebuild.ts';
import { openConnection } from '../../src/ledger/store/connection.ts';
import { sentEvent } from '../../src/ledger/events/sent-event.ts';
import type { Connection } from '../../src/ledger/store/sqlite.ts';
import { FleetModel, type ModelHost } from './fleet-model.ts';
import { HostRun, type TimedRunEvent } from './host-run-events.ts';
import { seededRandom } from './random.ts';

export interface YearSize {
  readonly hosts: number;
  readonly weeks: number;
}

export interface Year extends YearSize {
  /** The whole year. */
  readonly path: string;
  /** The same ledger as it was after its first week. */
  readonly firstWeekPath: string;
}

const firstMs = Date.UTC(2025, 10, 24, 2);
const weekMs = 7 * 24 * 3600_000;
/** Hosts in flight at once: their events are interleaved. */
const concurrency = 20;
const operator = { user: 'root', loginUser: 'ada', controller: 'jump01', pid: 4711 } as const;

/** The time after the last run of the year. */
export function endOfYear({ weeks }: YearSize): number {
  return firstMs + weeks * weekMs;
}

/** Made once, and again when what it is made by has changed; older ones are removed. */
export function yearLedger(size: YearSize, say: (line: string) => void): Year {
  const root = join(tmpdir(), 'fettle-bench-ledger');
  const directory = join(root, digestOf(size));
  const year = { ...size, path: join(directory, 'year.db'), firstWeekPath: join(directory, 'first-week.db') };
  if (existsSync(directory)) return year;
  rmSync(root, { recursive: true, force: true });
  const unfinished = join(root, 'unfinished');
  mkdirSync(unfinished, { recursive: true });
  new YearWriter(unfinished, size, say).write();
  renameSync(unfinished, directory);
  return year;
}

/** What the file's content comes from. */
const makers = [
  ...['year', 'fleet-model', 'host-run-events', 'packages', 'random'].map((name) => `bench/ledger/${name}.ts`),
  ...[
    'chain',
    'label-projection',
    'missing-updates',
    'packed-event',
    'projection',
    'scan-projection',
    'sent-event',
    'statements',
  ].map((name) => `src/ledger/events/${name}.ts`),
  ...['blob', 'migrations', 'projections'].map((name) => `src/ledger/store/${name}.ts`),
];

function digestOf(size: YearSize): string {
  const root = join(import.meta.dirname, '../..');
  const hash = createHash('sha256').update(JSON.stringify(size));
  for (const file of makers) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 16);
}

/** Hosts of a role are a group and belong to one owner. */
function labelsOf(hosts: readonly ModelHost[]): readonly LabelSet[] {
  const byRole = Map.groupBy(hosts, ({ role }) => role);
  return [...byRole].map(([role, members]) => {
    const groups = ['all', `role-${role}`];
    return { hosts: members.map(({ name }) => name), groups, owner: `team-${role % 5}`, ring: 'broad', labels: {} };
  });
}

class YearWriter {
  readonly #directory: string;
  readonly #size: YearSize;
  readonly #say: (line: string) => void;
  readonly #random = seededRandom(3);
  readonly #fleet: FleetModel;
  readonly #connection: Connection;
  #nowMs = firstMs;

  constructor(directory: string, size: YearSize, say: (line: string) => void) {
    this.#directory = directory;
    this.#size = size;
    this.#say = say;
    this.#fleet = new FleetModel(size.hosts, size.weeks);
    this.#connection = openConnection(join(directory, 'year.db'), false, refill);
    // Nobody loses anything here when the power goes.
    this.#connection.pragma('synchronous = OFF');
  }

  write(): void {
    const startedMs = performance.now();
    for (let week = 1; week <= this.#size.weeks; week += 1) {
      this.#nowMs = firstMs + (week - 1) * weekMs;
      this.#scanRun(week);
      this.#nowMs = firstMs + (week - 1) * weekMs + 2 * 24 * 3600_000;
      this.#applyRun(week);
      this.#connection.pragma('wal_checkpoint(TRUNCATE)');
      if (week === 1) copyFileSync(join(this.#directory, 'year.db'), join(this.#directory, 'first-week.db'));
      if (week % 13 === 0) this.#say(`week ${week} after ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
    }
    this.#connection.close();
  }

  #scanRun(week: number): void {
    const run = this.#begin('scan', week);
    for (const hosts of chunks(this.#fleet.hosts, 100)) {
      const events = hosts.map((host): RunEvent => {
        const scan = this.#fleet.scan(host, week, this.#nowMs);
        return { type: 'host.scanned', run, host: host.name, hostId: host.name, purpose: 'scan', scan };
      });
      this.#append(events);
    }
    this.#end(run, { failed: 0, scanned: this.#size.hosts });
  }

  #applyRun(week: number): void {
    const planSha256 = putBlob(this.#connection, Buffer.from(this.#planText(week)));
    const run = this.#begin('apply', week, planSha256);
    const { hosts } = this.#fleet;
    const waves = [hosts.slice(0, 1), hosts.slice(1, 101), hosts.slice(101)];
    for (const [wave, members] of waves.entries()) {
      const names = members.map((host) => host.name);
      const name = ['wave-1', '10%', 'rest'][wave] ?? '';
      this.#append([{ type: 'wave.started', run, wave, name, hosts: names }]);
      for (const group of chunks(members, concurrency)) this.#patch(run, { group, week, wave });
      this.#append([{ type: 'wave.finished', run, wave, name }]);
    }
    this.#end(run, { verified: this.#size.hosts });
  }

  #patch(run: string, { group, week, wave }: { group: readonly ModelHost[]; week: number; wave: number }): void {
    const keepOutput = (text: string): string => putBlob(this.#connection, Buffer.from(text));
    const ports = { fleet: this.#fleet, run, week, startMs: this.#nowMs, random: this.#random, keepOutput };
    const pacedReading: TimedRunEvent[] = [];
    this.#connection.transaction(() => {
      for (const host of group) pacedReading.push(...new HostRun(host, ports).events(wave));
    })();
    pacedReading.sort((one, other) => one.timeMs - other.timeMs);
    this.#write(pacedReading);
    this.#nowMs = pacedReading.at(-1)?.timeMs ?? this.#nowMs;
  }

  #planText(week: number): string {
    const hosts = this.#fleet.hosts.map((host) => ({ host: host.name, updates: this.#fleet.updates(host, week) }));
    return JSON.stringify({ week, hosts });
  }

  #begin(kind: 'scan' | 'apply', week: number, planSha256?: string): string {
    const run = ulid(this.#nowMs, this.#random);
    const hosts = this.#fleet.hosts.map((host) => host.name);
    const planned = planSha256 === undefined ? {} : { planSha256, playbook: 'weekly', ticket: `CHG-${week}` };
    const argv = kind === 'scan' ? ['scan', '-q'] : ['apply', 'plan.json', '-q'];
    const of = { run, kind, operator, fettleVersion: '0.1.0', argv, hosts, labels: labelsOf(this.#fleet.hosts) };
    this.#append([{ type: 'run.started', ...of, ...planned }]);
    if (planSha256 !== undefined) {
      const [plan, expiresMs] = [ulid(this.#nowMs, this.#random), this.#nowMs + weekMs];
      this.#append([
        {
          type: 'plan.created',
          run,
          plan,
          sha256: planSha256,
          hosts: hosts.length,
          updates: hosts.length * 6,
          expiresMs,
        },
      ]);
    }
    return run;
  }

  #end(run: string, counts: Readonly<Record<string, number>>): void {
    this.#append([{ type: 'run.finished', run, exitCode: 0, exitName: 'ok', reasons: [], counts }]);
  }

  #append(events: readonly RunEvent[]): void {
    this.#nowMs += 500;
    this.#write(events.map((event) => ({ timeMs: this.#nowMs, event })));
  }

  #write(events: readonly TimedRunEvent[]): void {
    appendEvents(
      this.#connection,
      events.map(({ timeMs, event }) => ({ timeMs, event: sentEvent(event) })),
    );
  }
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}
