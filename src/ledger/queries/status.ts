// Every host that was ever selected for a run, and how much is known of it.
import { verdicts, type Outcome, type Verdict } from '../../domain/outcome.ts';
import type { HostStatusRow, ScannedStatus, StatusQuestion } from '../../domain/report.ts';
import { labelsAt } from './labels.ts';
import { lastVerdicts } from './runs.ts';
import type { StoredStatus } from '../events/scan-projection.ts';
import { prepared, type Connection } from '../store/sqlite.ts';
import type { Tables } from '../store/tables.ts';

type Nullable<T> = { [Key in keyof T]: T[Key] | null };
type KnownHost = Pick<Tables['host'], 'host_id' | 'name' | 'first_seen'>;
type Row = KnownHost & Nullable<Omit<Tables['scan'], 'host_id'>>;

const selectContacted = `SELECT scan.*, host.host_id, host.name, host.first_seen FROM host
  LEFT JOIN scan ON (scan.chain, scan.seq) = (SELECT s.chain, s.seq FROM scan AS s
    WHERE s.host_id = host.host_id AND s.at <= :asOf ORDER BY s.at DESC, s.chain DESC, s.seq DESC LIMIT 1)
  WHERE host.first_seen <= :asOf`;

/** Hosts that were selected and never contacted: the run was interrupted or killed before, or is still running. */
const selectUncontacted = `SELECT name, run, at FROM selected_host WHERE at <= :asOf
  AND NOT EXISTS (SELECT 1 FROM host_name WHERE host_name.name = selected_host.name AND host_name.at <= :asOf)`;

export function hostStatus(connection: Connection, question: StatusQuestion): readonly HostStatusRow[] {
  const { asOfMs } = question;
  const asOf = { asOf: asOfMs };
  const lastOnes = lastVerdicts(connection, asOfMs);
  const known = labelsAt(connection, asOfMs);
  const contacted = (prepared(connection, selectContacted).all(asOf) as Row[]).map((row): HostStatusRow => {
    const last = lastOnes.get(row.host_id);
    const labels = known.byId.get(row.host_id);
    const host = {
      host: row.name,
      hostId: row.host_id,
      firstSeenMs: row.first_seen,
      ...failureOf(connection, row, asOfMs),
      ...(last === undefined ? {} : { lastVerdict: last.verdict, lastRun: last.run }),
      ...(labels === undefined ? {} : { labels }),
    };
    const scanned = scannedStatus(row, question);
    return scanned === undefined ? host : { ...host, ...scanned };
  });
  const names = prepared(connection, selectUncontacted).all(asOf) as Tables['selected_host'][];
  const uncontacted = names.map(({ name, run, at }): HostStatusRow => {
    const labels = known.byName.get(name);
    return { host: name, firstSeenMs: at, selectedBy: run, ...(labels === undefined ? {} : { labels }) };
  });
  return [...contacted, ...uncontacted].sort((a, b) => (a.host < b.host ? -1 : 1));
}

/** Tries since a time, whatever kind of run made them. A command of `exec` that runs has no end, but reached the host. */
const selectTries = `SELECT COALESCE(host_run.ended_at, host_run.started_at) AS at, verdict, outcome_json, kind,
    EXISTS (SELECT 1 FROM scan WHERE scan.run = host_run.run AND scan.host_id = host_run.host_id) AS hasScan
  FROM host_run JOIN run ON run.run = host_run.run
  WHERE host_run.host_id = :host AND COALESCE(host_run.ended_at, host_run.started_at) BETWEEN :since AND :asOf
    AND (verdict IS NOT NULL OR kind = 'exec') ORDER BY at`;

interface Try {
  readonly at: number;
  readonly verdict: Verdict | null;
  readonly outcome_json: string | null;
  readonly kind: string;
  readonly hasScan: number;
}

type Failure = Pick<HostStatusRow, 'unreachableSinceMs' | 'failedSinceMs' | 'lastFailure'>;

/** How the latest try since the last scan failed, and since when tries have failed like that. */
function failureOf(connection: Connection, row: Row, asOfMs: number): Failure {
  const asked = { host: row.host_id, since: row.at === null ? 0 : row.at + 1, asOf: asOfMs };
  let failure: Failure = {};
  for (const item of prepared(connection, selectTries).all(asked) as Try[]) {
    const how = howItEnded(item);
    if (how === 'unasked') continue;
    const reason = item.outcome_json === null ? '' : (JSON.parse(item.outcome_json) as Outcome).reason;
    if (how === 'unreached')
      failure = { unreachableSinceMs: failure.unreachableSinceMs ?? item.at, lastFailure: reason };
    else if (how === 'unscanned') failure = { failedSinceMs: failure.failedSinceMs ?? item.at, lastFailure: reason };
    else failure = {};
  }
  return failure;
}

/** `unasked`: it was left out, or its turn never came. */
function howItEnded({ verdict, kind, hasScan }: Try): 'unreached' | 'unscanned' | 'unasked' | 'reached' {
  const contact = verdict === null ? 'reached' : verdicts[verdict].contact;
  if (contact !== 'reached') return contact;
  const isScan = kind === 'scan' || kind === 'plan' || kind === 'verify';
  return verdict === 'failed' && isScan && hasScan === 0 ? 'unscanned' : 'reached';
}

function scannedStatus(row: Row, { asOfMs, maxScanAgeMs }: StatusQuestion): ScannedStatus | undefined {
  if (row.at === null || row.status_json === null) return undefined;
  const { packages: _packages, isIncomplete = false, ...status } = JSON.parse(row.status_json) as StoredStatus;
  return {
    ...status,
    scannedMs: row.at,
    isOld: asOfMs - row.at > maxScanAgeMs,
    isIncomplete,
    security: row.security ?? 0,
    other: row.other ?? 0,
    heldBack: row.held_back ?? 0,
    rebootNeeded: (row.reboot_needed ?? 'unknown') as ScannedStatus['rebootNeeded'],
  };
}
