// The tables that are made from events and can be made again. Whoever changes one raises `schemaVersion`.

/**
 * `(chain, seq)` is the event that a row was made from, `position` the part of it. A run has one id in every chain, and
 * so has a host. Tables that other indexes lead into have a rowid: SQLite finds a row by it twice as fast as by a key of text.
 */
export const projectionSchema = `
  CREATE TABLE host (host_id TEXT PRIMARY KEY, name TEXT NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL);
  CREATE TABLE host_name (name TEXT PRIMARY KEY, at INTEGER NOT NULL);
  CREATE TABLE selected_host (name TEXT PRIMARY KEY, run TEXT NOT NULL, at INTEGER NOT NULL);
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
  CREATE INDEX host_run_bad ON host_run (ended_at)
    WHERE verdict IN ('failed', 'unreachable', 'lost', 'drifted', 'unhealthy');
  CREATE TABLE host_fact (
    host_id TEXT NOT NULL, seen_from INTEGER NOT NULL, seen_to INTEGER NOT NULL, facts_json TEXT NOT NULL,
    PRIMARY KEY (host_id, seen_from)
  );
  CREATE TABLE host_history (
    host_id TEXT NOT NULL, at INTEGER NOT NULL, update_id TEXT NOT NULL, revision INTEGER NOT NULL, operation TEXT NOT NULL,
    name TEXT NOT NULL, title TEXT NOT NULL, result TEXT NOT NULL, message TEXT, client TEXT NOT NULL,
    PRIMARY KEY (host_id, at, update_id, revision, operation)
  );
  CREATE INDEX host_history_by_time ON host_history (at);
  CREATE TABLE plan (
    sha256 TEXT PRIMARY KEY, plan TEXT NOT NULL, run TEXT NOT NULL, created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, hosts INTEGER NOT NULL, updates INTEGER NOT NULL
  );
  CREATE TABLE step (
    chain TEXT NOT NULL, seq INTEGER NOT NULL, run TEXT NOT NULL, host_id TEXT NOT NULL, attempt INTEGER NOT NULL,
    step TEXT NOT NULL, name TEXT, job TEXT, job_kind TEXT, boot_id_before TEXT, started_at INTEGER NOT NULL,
    ended_at INTEGER, ok INTEGER, message TEXT, output_sha256 TEXT, PRIMARY KEY (chain, seq)
  );
  CREATE INDEX step_of_host ON step (run, host_id, attempt);
  CREATE TABLE update_result (
    run TEXT NOT NULL, host_id TEXT NOT NULL, attempt INTEGER NOT NULL, manager TEXT NOT NULL, name TEXT NOT NULL,
    arch TEXT NOT NULL, from_version TEXT, to_version TEXT NOT NULL, now_version TEXT, state TEXT NOT NULL,
    at INTEGER NOT NULL, message TEXT, PRIMARY KEY (run, host_id, attempt, manager, name, arch, to_version)
  );
  CREATE INDEX update_result_by_time ON update_result (at);
  CREATE INDEX update_result_of_host ON update_result (host_id, at);
  CREATE INDEX update_result_bad ON update_result (at) WHERE state NOT IN ('downloaded', 'installed', 'already', 'superseded');
  CREATE TABLE reboot (
    chain TEXT NOT NULL, seq INTEGER NOT NULL, run TEXT NOT NULL, host_id TEXT NOT NULL, at INTEGER NOT NULL,
    reboot_json TEXT NOT NULL, PRIMARY KEY (chain, seq)
  );
  CREATE INDEX reboot_by_time ON reboot (at);
  CREATE INDEX reboot_of_run ON reboot (run, host_id);
  CREATE TABLE finding (
    chain TEXT NOT NULL, seq INTEGER NOT NULL, position INTEGER NOT NULL, run TEXT NOT NULL, host_id TEXT NOT NULL,
    check_name TEXT NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (chain, seq, position)
  );
  CREATE INDEX finding_of_run ON finding (run, host_id);
  CREATE TABLE scan (
    chain TEXT NOT NULL, seq INTEGER NOT NULL, host_id TEXT NOT NULL, run TEXT NOT NULL, purpose TEXT NOT NULL,
    at INTEGER NOT NULL, manager TEXT, security INTEGER NOT NULL, other INTEGER NOT NULL, held_back INTEGER NOT NULL,
    reboot_needed TEXT NOT NULL, status_json TEXT NOT NULL, packages_sha256 TEXT NOT NULL, PRIMARY KEY (chain, seq)
  );
  CREATE INDEX scan_of_host ON scan (host_id, at);
  CREATE INDEX scan_of_run ON scan (run, host_id);
  CREATE TABLE missing_update (
    chain TEXT NOT NULL, seq INTEGER NOT NULL, position INTEGER NOT NULL, host_id TEXT NOT NULL, manager TEXT NOT NULL,
    name TEXT NOT NULL, arch TEXT NOT NULL, from_version TEXT NOT NULL, to_version TEXT NOT NULL, class TEXT NOT NULL,
    held_back TEXT, title TEXT, source TEXT, source_version TEXT, severity TEXT, vendor_severity TEXT,
    advisories_json TEXT, cves_json TEXT, size_bytes INTEGER, origins_json TEXT, first_seen INTEGER NOT NULL,
    gone_at INTEGER, PRIMARY KEY (chain, seq, position)
  );
  CREATE INDEX missing_update_of_host ON missing_update (host_id, gone_at);
  CREATE INDEX missing_update_by_time ON missing_update (gone_at, first_seen);
  CREATE TABLE note (
    chain TEXT NOT NULL, seq INTEGER NOT NULL, run TEXT, host TEXT, level TEXT NOT NULL, message TEXT NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (chain, seq)
  );
  CREATE INDEX note_of_run ON note (run);
  CREATE TABLE label_set (
    chain TEXT NOT NULL, seq INTEGER NOT NULL, position INTEGER NOT NULL, groups_json TEXT NOT NULL, owner TEXT, ring TEXT,
    labels_json TEXT NOT NULL, PRIMARY KEY (chain, seq, position)
  ) WITHOUT ROWID;
  CREATE TABLE host_label (
    run TEXT NOT NULL, host TEXT NOT NULL, host_id TEXT NOT NULL, at INTEGER NOT NULL, chain TEXT NOT NULL,
    seq INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (run, host)
  ) WITHOUT ROWID;
  CREATE INDEX host_label_of_host ON host_label (host_id, at);
`;

/** What `projectionSchema` creates. */
export const projections = [
  'host',
  'host_name',
  'run',
  'selected_host',
  'label_set',
  'host_label',
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
  'missing_update_by_time',
  'note_of_run',
  'scan_of_run',
  'reboot_of_run',
  'host_label_of_host',
  'update_result_by_time',
  'update_result_of_host',
  'update_result_bad',
  'host_run_bad',
  'host_history_by_time',
] as const;
