import type { RunKind, RunStarted } from '../../domain/event.ts';
import type { Outcome, Verdict } from '../../domain/outcome.ts';
import type {
  FindingRow,
  HostRunRow,
  LogRow,
  RebootRow,
  RunDetail,
  RunRow,
  UpdateResultRow,
} from '../../domain/report.ts';
import { labelsOfRun } from './labels.ts';
import { getBlob } from '../store/blob.ts';
import { all, first, prepared, query, type Connection } from '../store/sqlite.ts';
import type { Tables } from '../store/tables.ts';

/** The latest first. */
export function listRuns(connection: Connection, limit: number): readonly RunRow[] {
  return all(
    connection,
    query.selectFrom('run').selectAll().orderBy('started_at', 'desc').orderBy('run', 'desc').limit(limit),
  ).map(toRun);
}

function toRun(row: Tables['run']): RunRow {
  const opening = JSON.parse(row.opening_json) as RunStarted;
  const end = row.end_json === null ? undefined : (JSON.parse(row.end_json) as Pick<RunRow, 'reasons' | 'counts'>);
  const { operator, hosts, idle, absent, playbook, planSha256, ticket, reason } = opening;
  return {
    run: row.run,
    kind: row.kind as RunKind,
    startedMs: row.started_at,
    operator,
    hosts,
    reasons: end?.reasons ?? [],
    counts: end?.counts ?? {},
    ...(row.ended_at === null ? {} : { endedMs: row.ended_at }),
    ...(row.exit_code === null ? {} : { exitCode: row.exit_code }),
    ...(row.exit_name === null ? {} : { exitName: row.exit_name }),
    ...(idle === undefined ? {} : { idle }),
    ...(absent === undefined ? {} : { absent }),
    ...(playbook === undefined ? {} : { playbook }),
    ...(planSha256 === undefined ? {} : { planSha256 }),
    ...(ticket === undefined ? {} : { ticket }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/**
 * A run by its id or a unique beginning of it. Where none is named the latest that worked on hosts: patched, rebooted or
 * switched them off; for `verify` one that left them on.
 */
export function findRun(connection: Connection, id: string | undefined, toVerify = false): readonly RunRow[] {
  const from = query.selectFrom('run').selectAll().orderBy('started_at', 'desc').orderBy('run', 'desc');
  if (id !== undefined) {
    const end = `${id.toUpperCase()}\uffff`;
    return all(connection, from.where('run', '>=', id.toUpperCase()).where('run', '<', end).limit(2)).map(toRun);
  }
  // A shutdown that was only called off carried out no plan, and a plan may hold nothing to do.
  const working = from
    .where('opening_json', 'not like', '%"hosts":[]%')
    .where((where) =>
      where.or([
        where('kind', 'in', ['apply', 'reboot']),
        ...(toVerify
          ? []
          : [where.and([where('kind', '=', 'shutdown'), where('opening_json', 'like', '%"planSha256":%')])]),
      ]),
    );
  return all(connection, working.limit(1)).map(toRun);
}

/** Hex SHA-256 of every file that was recorded as the plan of this id; `fettle plan` records one. */
export function planHashes(connection: Connection, id: string): readonly string[] {
  return all(connection, query.selectFrom('plan').select('sha256').where('plan', '=', id)).map((row) => row.sha256);
}

export function showRun(connection: Connection, id: string): RunDetail | undefined {
  const row = first(connection, query.selectFrom('run').selectAll().where('run', '=', id));
  if (row === undefined) return undefined;
  const names = new Map(
    all(connection, query.selectFrom('host_run').select(['host_id', 'host']).where('run', '=', id)).map((item) => [
      item.host_id,
      item.host,
    ]),
  );
  const hostOf = (hostId: string): string => names.get(hostId) ?? hostId;
  return {
    run: toRun(row),
    waves: all(connection, query.selectFrom('wave').selectAll().where('run', '=', id).orderBy('wave')).map(toWave),
    hosts: [...hostRuns(connection, id), ...scannedAlone(connection, id)],
    updates: updatesOf(connection, id, hostOf),
    findings: all(connection, query.selectFrom('finding').selectAll().where('run', '=', id)).map(
      (item): FindingRow => ({
        host: hostOf(item.host_id),
        check: item.check_name,
        level: item.level,
        message: item.message,
      }),
    ),
    reboots: all(
      connection,
      query.selectFrom('reboot').selectAll().where('run', '=', id).orderBy('chain').orderBy('seq'),
    ).map(toReboot),
    notes: all(
      connection,
      query.selectFrom('note').selectAll().where('run', '=', id).orderBy('chain').orderBy('seq'),
    ).map((item) => ({
      atMs: item.at,
      level: item.level,
      message: item.message,
      ...(item.host === null ? {} : { host: item.host }),
    })),
  };
}

function toWave(row: Tables['wave']): RunDetail['waves'][number] {
  const hosts = JSON.parse(row.hosts_json) as string[];
  return {
    name: row.name,
    hosts,
    startedMs: row.started_at,
    ...(row.ended_at === null ? {} : { endedMs: row.ended_at }),
  };
}

export function toReboot(row: Tables['reboot']): RebootRow {
  return { ...(JSON.parse(row.reboot_json) as Omit<RebootRow, 'run' | 'atMs'>), run: row.run, atMs: row.at };
}

/** The latest attempt of each host. */
function hostRuns(connection: Connection, id: string): readonly HostRunRow[] {
  const rows = all(
    connection,
    query.selectFrom('host_run').selectAll().where('run', '=', id).orderBy('host').orderBy('attempt'),
  );
  const steps = all(
    connection,
    query.selectFrom('step').select(['host_id', 'step']).where('run', '=', id).orderBy('chain').orderBy('seq'),
  );
  const labelled = labelsOfRun(connection, id).byId;
  const lastStep = new Map(steps.map((item) => [item.host_id, item.step]));
  return [...new Map(rows.map((row) => [row.host_id, row])).values()].map((row) => {
    const outcome = row.outcome_json === null ? undefined : (JSON.parse(row.outcome_json) as Outcome);
    const step = lastStep.get(row.host_id);
    const labels = labelled.get(row.host_id);
    const { verdict, change, reason, hint, error } = outcome ?? {};
    return {
      host: row.host,
      hostId: row.host_id,
      attempt: row.attempt,
      startedMs: row.started_at,
      ...(row.wave === null ? {} : { wave: row.wave }),
      ...(row.ended_at === null ? {} : { endedMs: row.ended_at }),
      ...(verdict === undefined ? {} : { verdict }),
      ...(change === undefined ? {} : { change }),
      ...(reason === undefined ? {} : { reason }),
      ...(hint === undefined ? {} : { hint }),
      ...(error === undefined ? {} : { error }),
      ...(step === undefined ? {} : { step }),
      ...(labels === undefined ? {} : { labels }),
    };
  });
}

/** Hosts of a scan or plan that answered have no outcome: the scan itself is what is recorded of them. */
function scannedAlone(connection: Connection, id: string): readonly HostRunRow[] {
  const select = prepared(
    connection,
    `SELECT host.name, scan.host_id, MAX(scan.at) AS at FROM scan JOIN host ON host.host_id = scan.host_id
     WHERE scan.run = :run AND purpose = 'scan'
       AND NOT EXISTS (SELECT 1 FROM host_run WHERE host_run.run = :run AND host_run.host_id = scan.host_id)
     GROUP BY scan.host_id ORDER BY host.name`,
  );
  const rows = select.all({ run: id }) as { name: string; host_id: string; at: number }[];
  const labelled = labelsOfRun(connection, id).byId;
  return rows.map(({ name, host_id: hostId, at }) => {
    const labels = labelled.get(hostId);
    const row = { host: name, hostId, attempt: 1, startedMs: at, endedMs: at };
    return labels === undefined ? row : { ...row, labels };
  });
}

function updatesOf(connection: Connection, id: string, hostOf: (hostId: string) => string): readonly UpdateResultRow[] {
  const rows = all(
    connection,
    query
      .selectFrom('update_result')
      .selectAll()
      .where('run', '=', id)
      .orderBy('host_id')
      .orderBy('name')
      .orderBy('attempt'),
  );
  const latest = new Map(
    rows.map((row) => [`${row.host_id}\0${row.manager}\0${row.name}\0${row.arch}\0${row.to_version}`, row]),
  );
  return [...latest.values()].map((row) => ({
    host: hostOf(row.host_id),
    name: row.name,
    arch: row.arch,
    to: row.to_version,
    state: row.state,
    ...(row.manager === '' ? {} : { manager: row.manager }),
    ...(row.from_version === null ? {} : { from: row.from_version }),
    ...(row.now_version === null ? {} : { now: row.now_version }),
  }));
}

/** What was printed on one host, in order; the host by name or id. */
export function readLogs(connection: Connection, id: string, host: string): readonly LogRow[] {
  const owner = first(
    connection,
    query
      .selectFrom('host_run')
      .select('host_id')
      .where('run', '=', id)
      .where((where) => where.or([where('host', '=', host), where('host_id', '=', host)])),
  );
  if (owner === undefined) return [];
  const steps = all(
    connection,
    query
      .selectFrom('step')
      .selectAll()
      .where('run', '=', id)
      .where('host_id', '=', owner.host_id)
      .orderBy('chain')
      .orderBy('seq'),
  );
  return steps.map((row) => {
    const output = row.output_sha256 === null ? undefined : getBlob(connection, row.output_sha256);
    return {
      step: row.step,
      attempt: row.attempt,
      startedMs: row.started_at,
      ...(row.name === null ? {} : { name: row.name }),
      ...(row.ended_at === null ? {} : { endedMs: row.ended_at }),
      ...(row.ok === null ? {} : { ok: row.ok === 1 }),
      ...(row.message === null ? {} : { message: row.message }),
      ...(output === undefined ? {} : { output }),
    };
  });
}

/** The last verdict of each host up to some time. */
export function lastVerdicts(
  connection: Connection,
  asOfMs: number,
): ReadonlyMap<string, { verdict: Verdict; run: string }> {
  const rows = all(
    connection,
    query
      .selectFrom('host_run')
      .innerJoin('run', 'run.run', 'host_run.run')
      .select(['host_run.host_id', 'host_run.verdict', 'host_run.run'])
      .where('run.kind', 'in', ['apply', 'reboot', 'verify'])
      .where('host_run.ended_at', '<=', asOfMs)
      .orderBy('host_run.ended_at'),
  );
  return new Map(rows.map((row) => [row.host_id, { verdict: row.verdict ?? 'failed', run: row.run }]));
}
