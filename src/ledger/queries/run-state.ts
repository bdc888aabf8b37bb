import type { Adjustment } from '../../domain/drift.ts';
import type { RunKind, RunStarted, StepName } from '../../domain/event.ts';
import type { JobKind } from '../../domain/job.ts';
import { currentAdjustment, currentResults } from '../../domain/former-records.ts';
import { hasPaidHooks } from '../../domain/outcome.ts';
import type { Outcome, UpdateResult } from '../../domain/outcome.ts';
import { everyManager } from '../../domain/record.ts';
import type { HostRunState, OpenStep, RecordedFacts, RunState } from '../../domain/record.ts';
import type { HostScan } from '../../domain/scan.ts';
import { unpackScan, type PackedScan, type PackedScanEvent } from '../events/packed-event.ts';
import type { StoredStatus } from '../events/scan-projection.ts';
import { all, first, query, type Connection } from '../store/sqlite.ts';
import type { Tables } from '../store/tables.ts';

type Attempt = Tables['host_run'];

/** The state of a run, from its record alone. */
export function readRunState(connection: Connection, id: string): RunState | undefined {
  const row = first(connection, query.selectFrom('run').selectAll().where('run', '=', id));
  if (row === undefined) return undefined;
  const opening = JSON.parse(row.opening_json) as RunStarted;
  const attempts = all(
    connection,
    query.selectFrom('host_run').selectAll().where('run', '=', id).orderBy('host_id').orderBy('attempt'),
  );
  const byHost = new Map<string, [Attempt, ...Attempt[]]>();
  for (const attempt of attempts) {
    const known = byHost.get(attempt.host_id);
    if (known === undefined) byHost.set(attempt.host_id, [attempt]);
    else known.push(attempt);
  }
  const openWave = first(
    connection,
    query.selectFrom('wave').select('wave').where('run', '=', id).where('ended_at', 'is', null).orderBy('wave'),
  );
  return {
    run: id,
    kind: row.kind as RunKind,
    startedMs: row.started_at,
    ...(opening.planSha256 === undefined ? {} : { planSha256: opening.planSha256 }),
    ...(row.exit_code === null ? {} : { finished: { exitCode: row.exit_code, exitName: row.exit_name ?? '' } }),
    ...(openWave === undefined ? {} : { openWave: openWave.wave }),
    hosts: [...byHost.values()].map((of) => readHost(connection, of)),
  };
}

/** `attempts` are those of one host, in order. */
function readHost(connection: Connection, attempts: readonly [Attempt, ...Attempt[]]): HostRunState {
  const attempt = attempts.at(-1) ?? attempts[0];
  const { run: id, host_id: hostId } = attempt;
  const allSteps = all(
    connection,
    query
      .selectFrom('step')
      .selectAll()
      .where('run', '=', id)
      .where('host_id', '=', hostId)
      .orderBy('chain')
      .orderBy('seq'),
  );
  const steps = allSteps.filter((step) => step.attempt === attempt.attempt);
  return {
    host: attempt.host,
    hostId,
    attempt: attempt.attempt,
    ...(attempt.outcome_json === null ? {} : { outcome: JSON.parse(attempt.outcome_json) as Outcome }),
    doneSteps: [...new Set(steps.filter((step) => step.ok === 1).map((step) => step.step as StepName))],
    endedInstalls: steps.flatMap((step) =>
      step.step === 'install' && step.ended_at !== null ? [step.name ?? everyManager] : [],
    ),
    openSteps: allSteps.filter((step) => step.ended_at === null).map(toOpenStep),
    reboots: all(
      connection,
      query.selectFrom('reboot').select('seq').where('run', '=', id).where('host_id', '=', hostId),
    ).length,
    owesAfterHooks: owesAfterHooks(attempts, allSteps),
  };
}

function owesAfterHooks(attempts: readonly Attempt[], steps: readonly Tables['step'][]): boolean {
  let isOwed = false;
  for (const { attempt, outcome_json: outcome } of attempts) {
    isOwed ||= steps.some((step) => step.attempt === attempt && step.step === 'before_host');
    if (outcome !== null && hasPaidHooks(JSON.parse(outcome) as Outcome)) isOwed = false;
  }
  return isOwed;
}

function toOpenStep(step: Tables['step']): OpenStep {
  return {
    step: step.step as StepName,
    attempt: step.attempt,
    ...(step.name === null ? {} : { name: step.name }),
    ...(step.job === null ? {} : { job: step.job }),
    ...(step.job_kind === null ? {} : { jobKind: step.job_kind as JobKind }),
    ...(step.boot_id_before === null ? {} : { bootIdBefore: step.boot_id_before }),
  };
}

function scanBefore(connection: Connection, run: string, hostId: string): PackedScan | undefined {
  const rows = all(
    connection,
    query
      .selectFrom('event')
      .select('envelope')
      .where('run', '=', run)
      .where('host_id', '=', hostId)
      .where('type', '=', 'host.scanned')
      .orderBy('chain')
      .orderBy('seq', 'desc'),
  );
  for (const { envelope } of rows) {
    const { body } = JSON.parse(envelope) as { body: PackedScanEvent };
    if (body.purpose === 'before') return body.scan;
  }
  return undefined;
}

/** What a run recorded of one host last, to verify against. */
export function readRecordedFacts(connection: Connection, id: string, hostId: string): RecordedFacts {
  const packed = scanBefore(connection, id, hostId);
  const before: HostScan | undefined = packed === undefined ? undefined : unpackScan(connection, packed);
  const results = latestResults(connection, id, hostId);
  const adjustment = latestAdjustment(connection, id, hostId);
  return {
    ...(before === undefined ? {} : { before }),
    ...(results === undefined ? {} : { results }),
    ...(adjustment === undefined ? {} : { adjustment }),
  };
}

function latestResults(connection: Connection, id: string, hostId: string): readonly UpdateResult[] | undefined {
  const row = first(
    connection,
    query
      .selectFrom('event')
      .select('envelope')
      .where('run', '=', id)
      .where('host_id', '=', hostId)
      .where('type', '=', 'update.finished')
      .orderBy('chain')
      .orderBy('seq', 'desc')
      .limit(1),
  );
  if (row === undefined) return undefined;
  return currentResults((JSON.parse(row.envelope) as { body: { results: UpdateResult[] } }).body.results);
}

function latestAdjustment(connection: Connection, id: string, hostId: string): Adjustment | undefined {
  const row = first(
    connection,
    query
      .selectFrom('step')
      .innerJoin('event', (join) => join.onRef('event.chain', '=', 'step.chain').onRef('event.seq', '=', 'step.seq'))
      .select('event.envelope')
      .where('step.run', '=', id)
      .where('step.host_id', '=', hostId)
      .where('step.step', '=', 'install')
      .orderBy('step.chain')
      .orderBy('step.seq', 'desc')
      .limit(1),
  );
  if (row === undefined) return undefined;
  const { adjustment } = (JSON.parse(row.envelope) as { body: { adjustment?: Adjustment } }).body;
  return adjustment === undefined ? undefined : currentAdjustment(adjustment);
}

/** By the latest scan of the host; scans of releases up to 0.1 did not list them. */
export function readKnownManagers(connection: Connection, hostId: string): readonly string[] | undefined {
  const row = first(
    connection,
    query.selectFrom('scan').select('status_json').where('host_id', '=', hostId).orderBy('seq', 'desc').limit(1),
  );
  return row === undefined ? undefined : (JSON.parse(row.status_json) as StoredStatus).managers;
}
