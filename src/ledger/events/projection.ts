// From events to tables. The only writer of every table that can be rebuilt.
import { currentResults } from '../../domain/former-records.ts';
import type { PackedEvent } from './packed-event.ts';
import { projectLabels } from './label-projection.ts';
import { projectScan } from './scan-projection.ts';
import { prepared, type Connection } from '../store/sqlite.ts';
import * as statements from './statements.ts';

type Type = PackedEvent['type'];
type Of<Its extends Type> = Extract<PackedEvent, { readonly type: Its }>;

/** Where an event stands. */
interface Place {
  readonly chain: string;
  readonly seq: number;
  readonly timeMs: number;
}

export interface Projected<Its extends Type = Type> extends Place {
  readonly event: Of<Its>;
}

type Projector<Its extends Type> = (connection: Connection, projected: Projected<Its>) => void;

const projectors: { readonly [Its in Type]: Projector<Its> } = {
  'run.started': startRun,
  'run.resumed': (connection, { event }) => statements.reopenRun.run(connection, { run: event.run }),
  'run.finished': finishRun,
  'wave.started': startWave,
  'wave.finished': (connection, { timeMs, event: { run, wave } }) =>
    statements.endWave.run(connection, { run, wave, ended_at: timeMs }),
  'host.started': startHost,
  'host.finished': finishHost,
  'host.scanned': (connection, projected) => {
    seeHost(connection, projected);
    // What the scan before found to be pending still holds.
    if (projected.event.scan.isStateOnly !== true) projectScan(connection, projected);
  },
  'step.started': startStep,
  'step.finished': finishStep,
  'update.finished': finishUpdates,
  'host.rebooted': rebooted,
  'host.verified': verified,
  'plan.created': createPlan,
  note: (connection, projected) => note(connection, projected, projected.event),
  'run.stopping': (connection, projected) => note(connection, projected, { ...projected.event, level: 'warn' }),
  'run.detached': (connection, projected) => note(connection, projected, { ...projected.event, level: 'warn' }),
  'host.abandoned': (connection, projected) => {
    const { run, host, reason } = projected.event;
    note(connection, projected, { run, host, level: 'warn', message: `abandoned: ${reason}` });
  },
};

export function project(connection: Connection, projected: Projected): void {
  // An event of a type that this program does not know is kept in the chain, and in no table.
  const projector = projectors[projected.event.type] as Projector<Type> | undefined;
  projector?.(connection, projected);
}

function startRun(connection: Connection, { chain, seq, timeMs, event }: Projected<'run.started'>): void {
  const { type: _type, labels = [], ...opening } = event;
  const { run, kind, hosts, idle = [], absent = [] } = event;
  statements.insertRun.run(connection, { run, kind, started_at: timeMs, opening_json: JSON.stringify(opening) });
  const names = [...hosts, ...idle, ...absent.map(({ host }) => host)];
  prepared(connection, statements.selectHosts).run(run, timeMs, JSON.stringify(names));
  projectLabels(connection, { chain, seq, at: timeMs, run }, labels);
}

function finishRun(connection: Connection, { timeMs, event }: Projected<'run.finished'>): void {
  const { run, exitCode, exitName, reasons, counts } = event;
  const end_json = JSON.stringify({ reasons, counts });
  statements.endRun.run(connection, { run, ended_at: timeMs, exit_code: exitCode, exit_name: exitName, end_json });
}

function startWave(connection: Connection, { timeMs, event }: Projected<'wave.started'>): void {
  const { run, wave, name, hosts } = event;
  statements.openWave.run(connection, { run, wave, name, hosts_json: JSON.stringify(hosts), started_at: timeMs });
}

interface OfHost {
  readonly timeMs: number;
  readonly event: { readonly hostId: string; readonly host: string };
}

function seeHost(connection: Connection, { timeMs, event: { hostId, host } }: OfHost): void {
  statements.seeHost.run(connection, { host_id: hostId, name: host, last_seen: timeMs });
  statements.nameHost.run(connection, { name: host, at: timeMs });
}

function startHost(connection: Connection, projected: Projected<'host.started'>): void {
  seeHost(connection, projected);
  const { run, hostId, host, attempt, wave = null } = projected.event;
  statements.openHostRun.run(connection, {
    run,
    host_id: hostId,
    attempt,
    host,
    wave,
    started_at: projected.timeMs,
  });
}

function finishHost(connection: Connection, projected: Projected<'host.finished'>): void {
  seeHost(connection, projected);
  const { run, hostId, host, attempt, outcome } = projected.event;
  statements.endHostRun.run(connection, {
    run,
    host_id: hostId,
    attempt,
    host,
    started_at: projected.timeMs,
    ended_at: projected.timeMs,
    verdict: outcome.verdict,
    outcome_json: JSON.stringify(outcome),
  });
}

function startStep(connection: Connection, { chain, seq, timeMs, event }: Projected<'step.started'>): void {
  statements.openStep.run(connection, {
    chain,
    seq,
    run: event.run,
    host_id: event.hostId,
    attempt: event.attempt,
    step: event.step,
    name: event.name ?? null,
    job: event.job ?? null,
    job_kind: event.jobKind ?? null,
    boot_id_before: event.bootIdBefore ?? null,
    started_at: timeMs,
  });
}

function finishStep(connection: Connection, { chain, timeMs, event }: Projected<'step.finished'>): void {
  prepared(connection, statements.endStep).run({
    chain,
    run: event.run,
    host_id: event.hostId,
    attempt: event.attempt,
    step: event.step,
    job: event.job ?? null,
    name: event.name ?? null,
    ended_at: timeMs,
    ok: event.ok ? 1 : 0,
    message: event.message ?? null,
    output_sha256: event.outputSha256 ?? null,
  });
}

function finishUpdates(connection: Connection, { timeMs, event }: Projected<'update.finished'>): void {
  const { run, hostId: host_id, attempt } = event;
  for (const { name, arch, from, to, now, state, manager, message = null } of currentResults(event.results)) {
    statements.insertUpdateResult.run(connection, {
      run,
      host_id,
      attempt,
      manager,
      name,
      arch,
      from_version: from,
      to_version: to,
      now_version: now,
      state,
      at: timeMs,
      message,
    });
  }
}

function rebooted(connection: Connection, { chain, seq, timeMs, event }: Projected<'host.rebooted'>): void {
  const { run, hostId, host, bootIdBefore, bootIdAfter, reasons, downMs } = event;
  const reboot_json = JSON.stringify({ host, bootIdBefore, bootIdAfter, reasons, downMs });
  statements.insertReboot.run(connection, { chain, seq, run, host_id: hostId, at: timeMs, reboot_json });
}

function verified(connection: Connection, { chain, seq, event }: Projected<'host.verified'>): void {
  const { run, hostId: host_id, findings } = event;
  statements.forgetFindings.run(connection, { run, host_id });
  for (const [position, { check, level, message }] of findings.entries()) {
    statements.insertFinding.run(connection, { chain, seq, position, run, host_id, check_name: check, level, message });
  }
}

function createPlan(connection: Connection, { timeMs, event }: Projected<'plan.created'>): void {
  const { sha256, plan, run, hosts, updates, expiresMs } = event;
  const times = { created_at: timeMs, expires_at: expiresMs };
  statements.insertPlan.run(connection, { sha256, plan, run, ...times, hosts, updates });
}

interface Note {
  readonly run?: string;
  readonly host?: string;
  readonly level: string;
  readonly message: string;
}

function note(connection: Connection, { chain, seq, timeMs }: Place, { run, host, level, message }: Note): void {
  statements.insertNote.run(connection, {
    chain,
    seq,
    run: run ?? null,
    host: host ?? null,
    level,
    message,
    at: timeMs,
  });
}
