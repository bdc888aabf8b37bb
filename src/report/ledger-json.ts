// JSON shapes of the ledger's answers: `--json=fields` of `report …`, `run …` and `ledger …`.
import type {
  HostRow,
  HostRunRow,
  HostStatusRow,
  LedgerCheck,
  LedgerStats,
  PackageRow,
  PendingRebootRow,
  PendingUpdateRow,
  RebootRow,
  RunDetail,
  RunRow,
  ScannedStatus,
} from '../domain/report.ts';
import { jsonRow, jsonTime, type JsonShape } from './json.ts';

function ofKnown<T>(read: (row: HostStatusRow & ScannedStatus) => T): (row: HostStatusRow) => T | null {
  return (row) => (row.scannedMs === undefined ? null : read(row));
}

export const statusJson: JsonShape<HostStatusRow> = {
  name: 'report-status',
  list: 'hosts',
  version: 1,
  fields: {
    host: (row) => row.host,
    hostId: (row) => row.hostId,
    state: (row) =>
      row.unreachableSinceMs !== undefined ? 'unreachable' : row.scannedMs === undefined ? 'never scanned' : 'scanned',
    unreachableSince: (row) => jsonTime(row.unreachableSinceMs),
    lastFailure: (row) => row.lastFailure ?? null,
    scannedAt: (row) => jsonTime(row.scannedMs),
    isOld: ofKnown((row) => row.isOld),
    osName: ofKnown((row) => row.osName),
    kernel: ofKnown((row) => row.kernel),
    security: ofKnown((row) => (row.securityKnown ? row.security : null)),
    securityKnown: ofKnown((row) => row.securityKnown),
    other: ofKnown((row) => row.other),
    heldBack: ofKnown((row) => row.heldBack),
    isStale: ofKnown((row) => row.isStale),
    metadataFetchedAt: ofKnown((row) => jsonTime(row.metadataFetchedMs)),
    rebootNeeded: ofKnown((row) => row.rebootNeeded),
    rebootReasons: ofKnown((row) => row.rebootReasons),
    broken: ofKnown((row) => row.broken),
    problems: ofKnown((row) => row.problems),
    lastVerdict: (row) => row.lastVerdict,
    lastRun: (row) => row.lastRun,
  },
};

export const updatesJson: JsonShape<PendingUpdateRow> = {
  name: 'report-updates',
  list: 'updates',
  version: 1,
  fields: {
    name: (row) => row.name,
    arch: (row) => row.arch,
    to: (row) => row.to,
    title: (row) => row.title ?? null,
    class: (row) => row.class,
    firstSeenAt: (row) => jsonTime(row.firstSeenMs),
    hosts: (row) => row.hosts.map(({ host, from, heldBack }) => ({ host, from, heldBack: heldBack ?? null })),
  },
};

export const hostsJson: JsonShape<HostRow> = {
  name: 'report-hosts',
  list: 'hosts',
  version: 1,
  fields: {
    host: (row) => row.host,
    hostId: (row) => row.hostId,
    firstSeenAt: (row) => jsonTime(row.firstSeenMs),
    lastSeenAt: (row) => jsonTime(row.lastSeenMs),
    osName: (row) => row.osName,
    kernel: (row) => row.kernel,
    arch: (row) => row.arch,
    machineId: (row) => row.machineId,
    bootId: (row) => row.bootId,
    virtualization: (row) => row.virtualization,
    packages: (row) => row.packages,
  },
};

export const packagesJson: JsonShape<PackageRow> = {
  name: 'report-packages',
  list: 'packages',
  version: 1,
  fields: {
    name: (row) => row.name,
    arch: (row) => row.arch,
    version: (row) => row.version,
    status: (row) => row.status,
  },
};

export const pendingRebootsJson: JsonShape<PendingRebootRow> = {
  name: 'report-pending-reboots',
  list: 'pending',
  version: 1,
  fields: {
    host: (row) => row.host,
    since: (row) => jsonTime(row.sinceMs),
    reasons: (row) => row.reasons,
  },
};

export const rebootsJson: JsonShape<RebootRow> = {
  name: 'report-reboots',
  list: 'reboots',
  version: 1,
  fields: {
    host: (row) => row.host,
    run: (row) => row.run,
    at: (row) => jsonTime(row.atMs),
    bootIdBefore: (row) => row.bootIdBefore,
    bootIdAfter: (row) => row.bootIdAfter,
    reasons: (row) => row.reasons,
    downMs: (row) => row.downMs,
  },
};

export const runsJson: JsonShape<RunRow> = {
  name: 'run-list',
  list: 'runs',
  version: 1,
  fields: {
    run: (row) => row.run,
    kind: (row) => row.kind,
    startedAt: (row) => jsonTime(row.startedMs),
    endedAt: (row) => jsonTime(row.endedMs),
    exitCode: (row) => row.exitCode,
    exitName: (row) => row.exitName,
    reasons: (row) => row.reasons,
    operator: (row) => row.operator,
    playbook: (row) => row.playbook,
    planSha256: (row) => row.planSha256,
    ticket: (row) => row.ticket,
    reason: (row) => row.reason,
    hosts: (row) => row.hosts,
    idle: (row) => row.idle ?? [],
    absent: (row) => row.absent ?? [],
    counts: (row) => row.counts,
  },
};

const hostRunJson: JsonShape<HostRunRow> = {
  name: 'run-show-hosts',
  list: 'hosts',
  version: 1,
  fields: {
    host: (row) => row.host,
    hostId: (row) => row.hostId,
    attempt: (row) => row.attempt,
    wave: (row) => row.wave,
    startedAt: (row) => jsonTime(row.startedMs),
    endedAt: (row) => jsonTime(row.endedMs),
    verdict: (row) => row.verdict,
    change: (row) => row.change,
    reason: (row) => row.reason,
    hint: (row) => row.hint,
    error: (row) => row.error,
    step: (row) => row.step,
  },
};

/** Fields of `run show --json`, which rollouts print at their end. */
export const runDetailFields = ['run', 'waves', 'hosts', 'updates', 'findings', 'reboots', 'notes'] as const;

type RunDetailField = (typeof runDetailFields)[number];

/** `run show --json`; for `jsonObject('run-show', …)`. */
export function runDetailValue(detail: RunDetail): Record<RunDetailField, unknown> {
  return {
    run: jsonRow(runsJson, detail.run),
    waves: detail.waves.map(({ name, hosts, startedMs, endedMs }) => {
      return { name, hosts, startedAt: jsonTime(startedMs), endedAt: jsonTime(endedMs) };
    }),
    hosts: detail.hosts.map((row) => jsonRow(hostRunJson, row)),
    updates: detail.updates.map((row) => ({ ...row, from: row.from ?? null, now: row.now ?? null })),
    findings: detail.findings,
    reboots: detail.reboots.map((row) => jsonRow(rebootsJson, row)),
    notes: detail.notes.map(({ atMs, host, level, message }) => {
      return { at: jsonTime(atMs), host: host ?? null, level, message };
    }),
  };
}

/** `ledger stats --json`; for `jsonObject('ledger-stats', …)`. */
export function ledgerStatsValue({ firstMs, lastMs, ...stats }: LedgerStats): Record<string, unknown> {
  return { ...stats, firstAt: jsonTime(firstMs), lastAt: jsonTime(lastMs) };
}

/** `ledger verify --json`; for `jsonObject('ledger-verify', …)`. */
export function ledgerCheckValue(check: LedgerCheck): Record<string, unknown> {
  return { isIntact: check.problems.length === 0, ...check };
}
