// From events to tables. The only writer of every table that can be rebuilt.
import type { PackedEvent, PackedScanEvent } from './packed-event.ts';
import { projectScan } from './scan-projection.ts';
import { prepared, type Connection } from '../store/sqlite.ts';
import * as statements from './statements.ts';

export interface Projected {
  readonly seq: number;
  readonly timeMs: number;
  readonly event: PackedEvent;
}

type Of<Type extends PackedEvent['type']> = Extract<PackedEvent, { readonly type: Type }>;

export function project(connection: Connection, { seq, timeMs, event }: Projected): void {
  switch (event.type) {
    case 'run.started':
      return startRun(connection, timeMs, event);
    case 'run.resumed':
      return statements.reopenRun.run(connection, { run: event.run });
    case 'run.finished':
      return finishRun(connection, timeMs, event);
    case 'wave.started':
      return startWave(connection, timeMs, event);
    case 'wave.finished':
      return statements.endWave.run(connection, { run: event.run, wave: event.wave, ended_at: timeMs });
    case 'host.started':
      return startHost(connection, timeMs, event);
    case 'host.finished':
      return finishHost(connection, timeMs, event);
    case 'host.scanned':
      return scanned(connection, { seq, timeMs, event });
    case 'step.started':
      return startStep(connection, { seq, timeMs, event });
    case 'step.finished':
      return finishStep(connection, timeMs, event);
    case 'update.finished':
      return finishUpdates(connection, timeMs, event);
    case 'host.rebooted':
      return rebooted(connection, { seq, timeMs, event });
    case 'host.verified':
      return verified(connection, event);
    case 'plan.created':
      return createPlan(connection, timeMs, event);
    case 'note':
      return note(connection, {
        seq,
        timeMs,
        run: event.run ?? null,
        host: event.host ?? null,
        ...told(event.level, event.message),
      });
    case 'run.stopping':
      return note(connection, { seq, timeMs, run: event.run, host: null, ...told('warn', event.message) });
    case 'run.detached':
      return note(connection, { seq, timeMs, run: event.run, host: null, ...told('warn', event.message) });
    case 'host.abandoned':
      return note(connection, {
        seq,
        timeMs,
        run: event.run,
        host: event.host,
        ...told('warn', `abandoned: ${event.reason}`),
      });
  }
}

function told(level: string, message: string): { level: string; message: string } {
  return { level, message };
}

function startRun(connection: Connection, timeMs: number, event: Of<'run.started'>): void {
  const { type: _type, ...opening } = event;
  const { run, kind, hosts, idle = [], absent = [] } = event;
  statements.insertRun.run(connection, { run, kind, started_at: timeMs, opening_json: JSON.stringify(opening) });
  const names = [...hosts, ...idle, ...absent.map(({ host }) => host)];
  prepared(connection, statements.selectHosts).run(run, timeMs, JSON.stringify(names));
}

function finishRun(connection: Connection, timeMs: number, event: Of<'run.finished'>): void {
  const { run, exitCode, exitName, reasons, counts } = event;
  const end_json = JSON.stringify({ reasons, counts });
  statements.endRun.run(connection, { run, ended_at: timeMs, exit_code: exitCode, exit_name: exitName, end_json });
}

function startWave(connection: Connection, timeMs: number, event: Of<'wave.started'>): void {
  const { run, wave, name, hosts } = event;
  statements.openWave.run(connection, { run, wave, name, hosts_json: JSON.stringify(hosts), started_at: timeMs });
}

function seeHost(connection: Connection, timeMs: number, { hostId, host }: { hostId: string; host: string }): void {
  statements.seeHost.run(connection, { host_id: hostId, name: host, last_seen: timeMs });
  statements.nameHost.run(connection, { name: host, at: timeMs });
}

function startHost(connection: Connection, timeMs: number, event: Of<'host.started'>): void {
  seeHost(connection, timeMs, event);
  const { run, hostId, host, attempt, wave = null } = event;
  statements.openHostRun.run(connection, { run, host_id: hostId, attempt, host, wave, started_at: timeMs });
}

function finishHost(connection: Connection, timeMs: number, event: Of<'host.finished'>): void {
  seeHost(connection, timeMs, event);
  const { run, hostId, host, attempt, outcome } = event;
  statements.endHostRun.run(connection, {
    run,
    host_id: hostId,
    attempt,
    host,
    started_at: timeMs,
    ended_at: timeMs,
    verdict: outcome.verdict,
    outcome_json: JSON.stringify(outcome),
  });
}

function scanned(connection: Connection, projected: { seq: number; timeMs: number; event: PackedScanEvent }): void {
  seeHost(connection, projected.timeMs, projected.event);
  projectScan(connection, projected);
}

function startStep(
  connection: Connection,
  { seq, timeMs, event }: { seq: number; timeMs: number; event: Of<'step.started'> },
): void {
  statements.openStep.run(connection, {
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

function finishStep(connection: Connection, timeMs: number, event: Of<'step.finished'>): void {
  statements.endStep.run(connection, {
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

function finishUpdates(connection: Connection, timeMs: number, event: Of<'update.finished'>): void {
  const { run, hostId: host_id, attempt } = event;
  for (const { name, arch, from, to, now, state, message = null } of event.results) {
    const versions = { from_version: from, to_version: to, now_version: now };
    statements.insertUpdateResult.run(connection, {
      run,
      host_id,
      attempt,
      name,
      arch,
      ...versions,
      state,
      at: timeMs,
      message,
    });
  }
}

function rebooted(
  connection: Connection,
  { seq, timeMs, event }: { seq: number; timeMs: number; event: Of<'host.rebooted'> },
): void {
  const { run, hostId, host, bootIdBefore, bootIdAfter, reasons, downMs } = event;
  const reboot_json = JSON.stringify({ host, bootIdBefore, bootIdAfter, reasons, downMs });
  statements.insertReboot.run(connection, { seq, run, host_id: hostId, at: timeMs, reboot_json });
}

function verified(connection: Connection, { run, hostId, findings }: Of<'host.verified'>): void {
  statements.forgetFindings.run(connection, { run, host_id: hostId });
  for (const { check, level, message } of findings) {
    statements.insertFinding.run(connection, { run, host_id: hostId, check_name: check, level, message });
  }
}

function createPlan(connection: Connection, timeMs: number, event: Of<'plan.created'>): void {
  const { sha256, plan, run, hosts, updates, expiresMs } = event;
  const times = { created_at: timeMs, expires_at: expiresMs };
  statements.insertPlan.run(connection, { sha256, plan, run, ...times, hosts, updates });
}

function note(
  connection: Connection,
  row: { seq: number; timeMs: number; run: string | null; host: string | null; level: string; message: string },
): void {
  const { timeMs, ...rest } = row;
  statements.insertNote.run(connection, { ...rest, at: timeMs });
}
