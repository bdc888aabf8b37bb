import type { Outcome } from '../domain/outcome.ts';
import type { HostStatusRow, ScannedStatus } from '../domain/report.ts';
import { lastVerdicts } from './run-queries.ts';
import type { ScanStatus } from './scan-projection.ts';
import { prepared, type Connection } from './sqlite.ts';
import type { Tables } from './tables.ts';

export interface StatusQuestion {
  readonly asOfMs: number;
  /** A scan that is older than this at that time does not count as knowledge of today. */
  readonly maxScanAgeMs: number;
}

type Nullable<T> = { [Key in keyof T]: T[Key] | null };
type KnownHost = Pick<Tables['host'], 'host_id' | 'name'>;
type Row = KnownHost & Nullable<Omit<Tables['scan'], 'host_id'>>;

/** Every host that was ever named in a run, whether it was scanned or not. */
const selectHosts = `SELECT scan.*, host.host_id, host.name FROM host
  LEFT JOIN scan ON scan.seq = (SELECT seq FROM scan AS s WHERE s.host_id = host.host_id AND s.at <= :asOf ORDER BY s.at DESC, s.seq DESC LIMIT 1)
  WHERE host.first_seen <= :asOf ORDER BY host.name`;

/** Tries since a time that did not reach the host; whatever kind of run made them. */
const selectFailures = `SELECT ended_at, outcome_json FROM host_run
  WHERE host_id = ? AND verdict IN ('unreachable', 'lost') AND ended_at > ? AND ended_at <= ? ORDER BY ended_at`;

export function hostStatus(connection: Connection, question: StatusQuestion): readonly HostStatusRow[] {
  const { asOfMs } = question;
  const verdicts = lastVerdicts(connection, asOfMs);
  const rows = prepared(connection, selectHosts).all({ asOf: asOfMs }) as Row[];
  return rows.map((row) => {
    const last = verdicts.get(row.host_id);
    const host = {
      host: row.name,
      hostId: row.host_id,
      ...failuresOf(connection, row, asOfMs),
      ...(last === undefined ? {} : { lastVerdict: last.verdict, lastRun: last.run }),
    };
    const scanned = scannedStatus(row, question);
    return scanned === undefined ? host : { ...host, ...scanned };
  });
}

function failuresOf(
  connection: Connection,
  row: Row,
  asOfMs: number,
): Pick<HostStatusRow, 'unreachableSinceMs' | 'lastFailure'> {
  const failures = prepared(connection, selectFailures).all(row.host_id, row.at ?? -1, asOfMs) as {
    ended_at: number;
    outcome_json: string;
  }[];
  const [first, last] = [failures[0], failures.at(-1)];
  if (first === undefined || last === undefined) return {};
  return { unreachableSinceMs: first.ended_at, lastFailure: (JSON.parse(last.outcome_json) as Outcome).reason };
}

function scannedStatus(row: Row, { asOfMs, maxScanAgeMs }: StatusQuestion): ScannedStatus | undefined {
  if (row.at === null || row.status_json === null) return undefined;
  const { packages: _packages, ...status } = JSON.parse(row.status_json) as ScanStatus;
  return {
    ...status,
    scannedMs: row.at,
    isOld: asOfMs - row.at > maxScanAgeMs,
    security: row.security ?? 0,
    other: row.other ?? 0,
    heldBack: row.held_back ?? 0,
    rebootNeeded: (row.reboot_needed ?? 'unknown') as ScannedStatus['rebootNeeded'],
  };
}
