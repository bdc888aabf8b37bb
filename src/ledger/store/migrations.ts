import { FettleError } from '../../domain/error.ts';
import { immediately, type Connection } from './sqlite.ts';

/** Applied in order, each in a transaction, once; the number in PRAGMA user_version is how many were. */
const migrations: readonly string[] = [
  `
  CREATE TABLE event (
    chain TEXT NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, type TEXT NOT NULL, run TEXT, host_id TEXT,
    envelope TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (chain, seq)
  );
  CREATE INDEX event_of_run ON event (run, host_id, type);
  CREATE TABLE blob (sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, body BLOB NOT NULL);
  CREATE TABLE lease (
    host_id TEXT PRIMARY KEY, run TEXT NOT NULL, holder_json TEXT NOT NULL, fence INTEGER NOT NULL, expires_at INTEGER NOT NULL
  );
  CREATE TABLE stop_request (run TEXT PRIMARY KEY, at INTEGER NOT NULL);
  CREATE TABLE host (host_id TEXT PRIMARY KEY, name TEXT NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL);
  CREATE TABLE run (
    run TEXT PRIMARY KEY, kind TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER, exit_code INTEGER,
    exit_name TEXT, opening_json TEXT NOT NULL, end_json TEXT
  );
  CREATE INDEX run_by_start ON run (started_at);
  CREATE TABLE wave (
    run TEXT NOT NULL, wave INTEGER NOT NULL, name TEXT NOT NULL, hosts_json TEXT NOT NULL, started_at INTEGER NOT NULL,
    ended_at INTEGER, PRIMARY KEY (run, wave)
  );
  CREATE TABLE host_run (
    run TEXT NOT NULL, host_id TEXT NOT NULL, attempt INTEGER NOT NULL, host TEXT NOT NULL, wave INTEGER,
    started_at INTEGER NOT NULL, ended_at INTEGER, verdict TEXT, outcome_json TEXT, PRIMARY KEY (run, host_id, attempt)
  );
  CREATE INDEX host_run_of_host ON host_run (host_id, ended_at);
  CREATE TABLE step (
    seq INTEGER PRIMARY KEY, run TEXT NOT NULL, host_id TEXT NOT NULL, attempt INTEGER NOT NULL, step TEXT NOT NULL,
    name TEXT, job TEXT, job_kind TEXT, boot_id_before TEXT, started_at INTEGER NOT NULL, ended_at INTEGER, ok INTEGER,
    message TEXT, output_sha256 TEXT
  );
  CREATE INDEX step_of_host ON step (run, host_id, attempt);
  CREATE TABLE update_result (
    run TEXT NOT NULL, host_id TEXT NOT NULL, attempt INTEGER NOT NULL, name TEXT NOT NULL, arch TEXT NOT NULL,
    from_version TEXT, to_version TEXT NOT NULL, now_version TEXT, state TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (run, host_id, attempt, name, arch)
  );
  CREATE TABLE reboot (seq INTEGER PRIMARY KEY, run TEXT NOT NULL, host_id TEXT NOT NULL, at INTEGER NOT NULL, reboot_json TEXT NOT NULL);
  CREATE INDEX reboot_by_time ON reboot (at);
  CREATE TABLE finding (run TEXT NOT NULL, host_id TEXT NOT NULL, check_name TEXT NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL);
  CREATE INDEX finding_of_run ON finding (run, host_id);
  CREATE TABLE scan (
    seq INTEGER PRIMARY KEY, host_id TEXT NOT NULL, run TEXT NOT NULL, purpose TEXT NOT NULL, at INTEGER NOT NULL,
    security INTEGER NOT NULL, other INTEGER NOT NULL, held_back INTEGER NOT NULL, reboot_needed TEXT NOT NULL,
    status_json TEXT NOT NULL, packages_sha256 TEXT NOT NULL
  );
  CREATE INDEX scan_of_host ON scan (host_id, at);
  CREATE TABLE host_fact (
    host_id TEXT NOT NULL, seen_from INTEGER NOT NULL, seen_to INTEGER NOT NULL, facts_json TEXT NOT NULL,
    PRIMARY KEY (host_id, seen_from)
  );
  CREATE TABLE missing_update (
    host_id TEXT NOT NULL, name TEXT NOT NULL, arch TEXT NOT NULL, from_version TEXT NOT NULL, to_version TEXT NOT NULL,
    class TEXT NOT NULL, held_back TEXT, first_seen INTEGER NOT NULL, gone_at INTEGER
  );
  CREATE INDEX missing_update_of_host ON missing_update (host_id, gone_at);
  CREATE INDEX missing_update_by_time ON missing_update (gone_at, first_seen);
  CREATE TABLE plan (
    sha256 TEXT PRIMARY KEY, plan TEXT NOT NULL, run TEXT NOT NULL, created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, hosts INTEGER NOT NULL, updates INTEGER NOT NULL
  );
  CREATE TABLE note (seq INTEGER PRIMARY KEY, run TEXT, host TEXT, level TEXT NOT NULL, message TEXT NOT NULL, at INTEGER NOT NULL);
  CREATE INDEX note_of_run ON note (run);
  `,
  `
  CREATE INDEX scan_of_run ON scan (run, host_id);
  CREATE INDEX reboot_of_run ON reboot (run, host_id);
  `,
  `
  ALTER TABLE update_result ADD COLUMN message TEXT;
  UPDATE update_result SET message = (
    SELECT json_extract(result.value, '$.message') FROM event, json_each(event.envelope, '$.body.results') AS result
    WHERE event.run = update_result.run AND event.host_id = update_result.host_id AND event.type = 'update.finished'
      AND json_extract(event.envelope, '$.body.attempt') = update_result.attempt
      AND json_extract(result.value, '$.name') = update_result.name
      AND json_extract(result.value, '$.arch') = update_result.arch
    ORDER BY event.seq DESC LIMIT 1
  ) WHERE (run, host_id) IN (
    SELECT run, host_id FROM event WHERE type = 'update.finished' AND envelope LIKE '%"message":%'
  );
  CREATE INDEX update_result_by_time ON update_result (at);
  CREATE INDEX update_result_of_host ON update_result (host_id, at);
  CREATE INDEX update_result_bad ON update_result (at) WHERE state NOT IN ('downloaded', 'installed', 'already', 'superseded');
  CREATE INDEX host_run_bad ON host_run (ended_at)
    WHERE verdict IN ('failed', 'unreachable', 'lost', 'drifted', 'unhealthy');
  CREATE TABLE host_history (
    host_id TEXT NOT NULL, at INTEGER NOT NULL, update_id TEXT NOT NULL, revision INTEGER NOT NULL, operation TEXT NOT NULL,
    name TEXT NOT NULL, title TEXT NOT NULL, result TEXT NOT NULL, message TEXT, client TEXT NOT NULL,
    PRIMARY KEY (host_id, at, update_id, revision, operation)
  );
  CREATE INDEX host_history_by_time ON host_history (at);
  `,
  `
  ALTER TABLE missing_update ADD COLUMN title TEXT;
  UPDATE missing_update SET title = (
    SELECT json_extract(found.value, '$.title') FROM scan
    JOIN event ON event.run = scan.run AND event.host_id = scan.host_id AND event.type = 'host.scanned' AND event.seq = scan.seq
    JOIN json_each(event.envelope, '$.body.scan.updates') AS found
    WHERE scan.host_id = missing_update.host_id AND scan.at = missing_update.first_seen
      AND json_extract(found.value, '$.name') = missing_update.name
      AND json_extract(found.value, '$.arch') = missing_update.arch
      AND json_extract(found.value, '$.to') = missing_update.to_version
    LIMIT 1
  ) WHERE host_id IN (SELECT host_id FROM event WHERE type = 'host.scanned' AND envelope LIKE '%"title":%');
  `,
  `
  ALTER TABLE lease ADD COLUMN boot_id TEXT;
  ALTER TABLE lease ADD COLUMN boot_expires INTEGER;
  `,
  `
  CREATE TABLE selected_host (name TEXT PRIMARY KEY, run TEXT NOT NULL, at INTEGER NOT NULL);
  CREATE TABLE host_name (name TEXT PRIMARY KEY, at INTEGER NOT NULL);
  CREATE TEMP VIEW told AS SELECT seq, time, type, run,
    CASE WHEN json_valid(envelope) THEN envelope ELSE '{}' END AS envelope FROM event;
  INSERT OR IGNORE INTO selected_host
    SELECT CASE named.type WHEN 'object' THEN json_extract(named.value, '$.host') ELSE named.value END, run, time
    FROM (
      SELECT told.seq, told.run, told.time, part.key AS part, json_extract(told.envelope, part.value) AS names
      FROM told, json_each(json_array('$.body.hosts', '$.body.idle', '$.body.absent')) AS part
      WHERE told.type = 'run.started' AND json_type(told.envelope, part.value) = 'array'
    ), json_each(names) AS named ORDER BY seq, part, named.key;
  INSERT OR IGNORE INTO host_name SELECT json_extract(envelope, '$.body.host'), time FROM told
    WHERE type IN ('host.started', 'host.scanned', 'host.finished') AND json_type(envelope, '$.body.host') = 'text'
    ORDER BY seq;
  UPDATE scan SET status_json = json_set(status_json, '$.isIncomplete', json('true')) WHERE seq IN (
    SELECT told.seq FROM told, json_each(told.envelope, '$.body.scan.problems') AS problem
    WHERE told.type = 'host.scanned' AND json_extract(problem.value, '$.isIncomplete')
  );
  DROP VIEW told;
  `,
];

export const schemaVersion = migrations.length;

/** Tables that are made from events and can be made again. */
export const projections = [
  'host',
  'host_name',
  'run',
  'selected_host',
  'wave',
  'host_run',
  'step',
  'update_result',
  'reboot',
  'finding',
  'scan',
  'host_fact',
  'missing_update',
  'host_history',
  'plan',
  'note',
] as const;

/** Indexes that only reports read; making the tables from events goes without. */
export const reportIndexes = [
  'event_of_run',
  'run_by_start',
  'host_run_of_host',
  'reboot_by_time',
  'scan_of_host',
  'missing_update_by_time',
  'note_of_run',
  'scan_of_run',
  'reboot_of_run',
  'update_result_by_time',
  'update_result_of_host',
  'update_result_bad',
  'host_run_bad',
  'host_history_by_time',
] as const;

/** Brings an older ledger up to this program; a newer one is refused. */
export function migrate(connection: Connection, path: string): void {
  const version = (): number => Number(connection.pragma('user_version', { simple: true }));
  refuseNewer(version(), path);
  if (version() === schemaVersion) return;
  immediately(connection, () => {
    // Another process may have migrated while we waited for the lock.
    for (let next = version(); next < schemaVersion; next += 1) {
      connection.exec(migrations[next] ?? '');
      connection.pragma(`user_version = ${next + 1}`);
    }
  });
}

export function refuseNewer(version: number, path: string): void {
  if (version <= schemaVersion) return;
  throw new FettleError(
    'ledger',
    `the ledger ${path} was written by a newer fettle (schema ${version}, this one knows ${schemaVersion})`,
    {
      hint: 'use that version of fettle, or name another ledger with --ledger',
    },
  );
}
