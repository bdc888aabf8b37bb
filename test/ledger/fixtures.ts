// A small run as the engine would record it, with every event that has a table.
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/base/clock.ts';
import type { Operator, RunEvent } from '../../src/domain/event.ts';
import type { RunRecord } from '../../src/domain/record.ts';
import type { HostScan } from '../../src/domain/scan.ts';
import type { Update } from '../../src/domain/update.ts';
import { openLedger, type Ledger } from '../../src/ledger/ledger.ts';

const operator: Operator = { user: 'op', controller: 'jump', pid: 7 };

/** A clock that stands until it is moved. */
export class StandingClock implements Clock {
  nowMs = Date.parse('2026-11-01T12:00:00Z');

  now(): number {
    return this.nowMs;
  }

  elapsedMs(): number {
    return this.nowMs;
  }

  async sleep(): Promise<void> {}
}

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'fettle-ledger-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export function openAt(directory: string, clock: Clock = new StandingClock()): Promise<Ledger> {
  return openLedger({ path: join(directory, 'ledger.db'), clock });
}

export function update(name: string, to: string, rest: Partial<Update> = {}): Update {
  return { manager: 'apt', name, arch: 'all', from: '1', to, origins: [], class: 'security', isKernel: false, ...rest };
}

export function scan(updates: readonly Update[], rest: Partial<HostScan> = {}): HostScan {
  return {
    collectedMs: 1,
    managers: ['apt'],
    facts: {
      hostName: 'web01',
      family: 'linux',
      osId: 'debian',
      osVersion: '12',
      osName: 'Debian 12',
      kernel: '6.1.0-31-amd64',
      arch: 'x86_64',
      init: 'systemd',
      isContainer: false,
      bootId: 'b1',
      uptimeSec: 5,
    },
    privileges: { user: 'root', isRoot: true },
    packages: [
      { manager: 'apt', name: 'app', arch: 'all', version: '1', state: 'installed', source: 'app', sourceVersion: '1' },
    ],
    autoInstalled: [],
    updates,
    securityKnown: true,
    metadata: { repositories: [], isStale: false, fetchedMs: 3 },
    reboot: { needed: 'no', reasons: [], runningKernel: '6.1.0-31-amd64' },
    health: { failedUnits: [], activeServices: [], listeners: [], staleProcesses: [], staleKnown: true },
    disks: [],
    running: [],
    broken: [],
    conffileLeftovers: [],
    problems: [],
    ...rest,
  };
}

export const run = '01RUN00000000000000000000A';
const of = { run, host: 'web01', hostId: 'web01' } as const;

export function started(id = run, rest: Partial<Extract<RunEvent, { type: 'run.started' }>> = {}): RunEvent {
  return {
    type: 'run.started',
    run: id,
    kind: 'apply',
    operator,
    fettleVersion: '0',
    argv: [],
    hosts: ['web01'],
    ...rest,
  };
}

export function scanned(of_: { run: string; host: string; hostId: string }, what: HostScan): RunEvent {
  return { type: 'host.scanned', ...of_, scan: what, purpose: 'scan' };
}

export const planBytes = Buffer.from('the bytes of a plan');
export const planSha256 = createHash('sha256').update(planBytes).digest('hex');

/** Appends events of a run, with the plan that they name. */
export async function append(
  ledger: Pick<RunRecord, 'append' | 'putBlob'>,
  events: readonly RunEvent[],
): Promise<void> {
  await ledger.putBlob(planBytes);
  await ledger.append(events);
}

/** One of every kind. */
export const wholeRun: readonly RunEvent[] = [
  started(run, { planSha256, ticket: 'CHG-1' }),
  { type: 'plan.created', run, plan: 'p', sha256: planSha256, hosts: 1, updates: 1, expiresMs: 9 },
  { type: 'host.started', ...of, attempt: 1, wave: 0 },
  { type: 'host.scanned', ...of, scan: scan([update('app', '2')]), purpose: 'before' },
  { type: 'wave.started', run, wave: 0, name: 'first', hosts: ['web01'] },
  { type: 'step.started', ...of, attempt: 1, step: 'install', job: 'j-1', jobKind: 'install' },
  { type: 'step.finished', ...of, attempt: 1, step: 'install', job: 'j-1', ok: true, exitCode: 0 },
  {
    type: 'update.finished',
    ...of,
    attempt: 1,
    results: [
      { manager: 'apt', name: 'app', arch: 'all', from: '1', to: '2', now: '2', state: 'installed' },
      { manager: 'apt', name: 'lib', arch: 'all', from: '1', to: '2', now: '1', state: 'failed', message: 'no room' },
    ],
  },
  { type: 'host.rebooted', ...of, bootIdBefore: 'b1', bootIdAfter: 'b2', reasons: ['kernel'], downMs: 900 },
  { type: 'host.scanned', ...of, scan: scan([]), purpose: 'after' },
  { type: 'host.verified', ...of, findings: [{ check: 'listener', level: 'warn', message: 'slow' }] },
  { type: 'host.finished', ...of, attempt: 1, outcome: { verdict: 'verified', change: 'installed', reason: 'well' } },
  { type: 'wave.finished', run, wave: 0, name: 'first' },
  { type: 'run.stopping', run, cause: 'operator', message: 'asked to stop' },
  { type: 'run.detached', run, hosts: ['web01'], message: 'let go' },
  { type: 'run.resumed', run, operator, argv: [] },
  { type: 'host.abandoned', ...of, operator, reason: 'gone' },
  { type: 'note', run, host: 'web01', level: 'info', message: 'a word' },
  { type: 'run.finished', run, exitCode: 0, exitName: 'ok', reasons: [], counts: { verified: 1 } },
];
