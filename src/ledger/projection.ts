// From events to tables. The only writer of every table that can be rebuilt.
import type { PackedEvent, PackedScanEvent } from './blob.ts';
import { projectScan } from './scan-projection.ts';
import { query, run, type Connection } from './sqlite.ts';

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
      return run(
        connection,
        query.updateTable('run').set({ ended_at: null, exit_code: null, exit_name: null }).where('run', '=', event.run),
      );
    case 'run.finished':
      return finishRun(connection, timeMs, event);
    case 'wave.started':
      return startWave(connection, timeMs, event);
    case 'wave.finished':
      return run(
        connection,
        query.updateTable('wave').set({ ended_at: timeMs }).where('run', '=', event.run).where('wave', '=', event.wave),
      );
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
  run(
    connection,
    query
      .insertInto('run')
      .values({
        run: event.run,
        kind: event.kind,
        started_at: timeMs,
        opening_json: JSON.stringify(opening),
        ended_at: null,
        exit_code: null,
        exit_name: null,
        end_json: null,
      })
      .onConflict((conflict) => conflict.column('run').doNothing()),
  );
}

function finishRun(connection: Connection, timeMs: number, event: Of<'run.finished'>): void {
  const { exitCode, exitName, reasons, counts } = event;
  run(
    connection,
    query
      .updateTable('run')
      .set({
        ended_at: timeMs,
        exit_code: exitCode,
        exit_name: exitName,
        end_json: JSON.stringify({ reasons, counts }),
      })
      .where('run', '=', event.run),
  );
}

function startWave(connection: Connection, timeMs: number, event: Of<'wave.started'>): void {
  run(
    connection,
    query
      .insertInto('wave')
      .values({
        run: event.run,
        wave: event.wave,
        name: event.name,
        hosts_json: JSON.stringify(event.hosts),
        started_at: timeMs,
        ended_at: null,
      })
      .onConflict((conflict) => conflict.columns(['run', 'wave']).doUpdateSet({ ended_at: null })),
  );
}

export function seeHost(connection: Connection, timeMs: number, host: { hostId: string; host: string }): void {
  run(
    connection,
    query
      .insertInto('host')
      .values({ host_id: host.hostId, name: host.host, first_seen: timeMs, last_seen: timeMs })
      .onConflict((conflict) => conflict.column('host_id').doUpdateSet({ name: host.host, last_seen: timeMs })),
  );
}

function startHost(connection: Connection, timeMs: number, event: Of<'host.started'>): void {
  seeHost(connection, timeMs, event);
  const { run: id, hostId, host, attempt } = event;
  run(
    connection,
    query
      .insertInto('host_run')
      .values({
        run: id,
        host_id: hostId,
        attempt,
        host,
        wave: event.wave ?? null,
        started_at: timeMs,
        ended_at: null,
        verdict: null,
        outcome_json: null,
      })
      .onConflict((conflict) =>
        conflict
          .columns(['run', 'host_id', 'attempt'])
          .doUpdateSet({ ended_at: null, verdict: null, outcome_json: null }),
      ),
  );
}

function finishHost(connection: Connection, timeMs: number, event: Of<'host.finished'>): void {
  seeHost(connection, timeMs, event);
  const { run: id, hostId, host, attempt, outcome } = event;
  const end = { ended_at: timeMs, verdict: outcome.verdict, outcome_json: JSON.stringify(outcome) };
  run(
    connection,
    query
      .insertInto('host_run')
      .values({ run: id, host_id: hostId, attempt, host, wave: null, started_at: timeMs, ...end })
      .onConflict((conflict) => conflict.columns(['run', 'host_id', 'attempt']).doUpdateSet(end)),
  );
}

function scanned(connection: Connection, projected: { seq: number; timeMs: number; event: PackedScanEvent }): void {
  seeHost(connection, projected.timeMs, projected.event);
  projectScan(connection, projected);
}

function startStep(
  connection: Connection,
  { seq, timeMs, event }: { seq: number; timeMs: number; event: Of<'step.started'> },
): void {
  run(
    connection,
    query.insertInto('step').values({
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
      ended_at: null,
      ok: null,
      message: null,
      output_sha256: null,
    }),
  );
}

/** Closes the latest open step of that name; a step that was resumed was started once. */
function finishStep(connection: Connection, timeMs: number, event: Of<'step.finished'>): void {
  const end = {
    ended_at: timeMs,
    ok: event.ok ? 1 : 0,
    message: event.message ?? null,
    output_sha256: event.outputSha256 ?? null,
  };
  const open = query
    .selectFrom('step')
    .select((select) => select.fn.max('seq').as('seq'))
    .where('run', '=', event.run)
    .where('host_id', '=', event.hostId)
    .where('attempt', '=', event.attempt)
    .where('step', '=', event.step)
    .where('job', 'is', event.job ?? null)
    .where('name', 'is', event.name ?? null)
    .where('ended_at', 'is', null);
  run(connection, query.updateTable('step').set(end).where('seq', '=', open));
}

function finishUpdates(connection: Connection, timeMs: number, event: Of<'update.finished'>): void {
  for (const { name, arch, from, to, now, state } of event.results) {
    const values = { from_version: from, to_version: to, now_version: now, state, at: timeMs };
    run(
      connection,
      query
        .insertInto('update_result')
        .values({ run: event.run, host_id: event.hostId, attempt: event.attempt, name, arch, ...values })
        .onConflict((conflict) => conflict.columns(['run', 'host_id', 'attempt', 'name', 'arch']).doUpdateSet(values)),
    );
  }
}

function rebooted(
  connection: Connection,
  { seq, timeMs, event }: { seq: number; timeMs: number; event: Of<'host.rebooted'> },
): void {
  const { run: id, hostId, host, bootIdBefore, bootIdAfter, reasons, downMs } = event;
  const reboot_json = JSON.stringify({ host, bootIdBefore, bootIdAfter, reasons, downMs });
  run(connection, query.insertInto('reboot').values({ seq, run: id, host_id: hostId, at: timeMs, reboot_json }));
}

function verified(connection: Connection, event: Of<'host.verified'>): void {
  run(connection, query.deleteFrom('finding').where('run', '=', event.run).where('host_id', '=', event.hostId));
  for (const { check, level, message } of event.findings) {
    run(
      connection,
      query.insertInto('finding').values({ run: event.run, host_id: event.hostId, check_name: check, level, message }),
    );
  }
}

function createPlan(connection: Connection, timeMs: number, event: Of<'plan.created'>): void {
  const { sha256, plan, run: id, hosts, updates, expiresMs } = event;
  run(
    connection,
    query
      .insertInto('plan')
      .values({ sha256, plan, run: id, created_at: timeMs, expires_at: expiresMs, hosts, updates })
      .onConflict((conflict) => conflict.column('sha256').doNothing()),
  );
}

function note(
  connection: Connection,
  row: { seq: number; timeMs: number; run: string | null; host: string | null; level: string; message: string },
): void {
  const { timeMs, ...rest } = row;
  run(connection, query.insertInto('note').values({ ...rest, at: timeMs }));
}
