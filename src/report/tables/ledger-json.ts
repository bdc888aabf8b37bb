// JSON shapes of the ledger's answers: `--json=fields` of `report …`, `run …` and `ledger …`.
import { stateOf } from '../../domain/host-state.ts';
import type { HostLabels } from '../../domain/labels.ts';
import type {
  HostRow,
  HostRunRow,
  HostStatusRow,
  KnownHostRow,
  LedgerCheck,
  LedgerStats,
  PackageRow,
  PendingRebootRow,
  PendingUpdateRow,
  RebootRow,
  RunDetail,
  RunRow,
  ScannedStatus,
} from '../../domain/report.ts';
import { doubtsJson } from './doubts.ts';
import { jsonList, jsonRow, jsonTime, type FieldChoice, type JsonShape } from '../text/json.ts';

/** A document of a report: its list, and every host of which that may not be so. */
export function reportDocument<Row>(
  shape: JsonShape<Row>,
  rows: readonly Row[],
  { choice, doubts }: { readonly choice: FieldChoice; readonly doubts: readonly HostStatusRow[] },
): Record<string, unknown> {
  const { uncertain } = jsonList(doubtsJson, doubts);
  return { ...jsonList(shape, rows, choice), uncertain };
}

function ofKnown<T>(read: (row: HostStatusRow & ScannedStatus) => T): (row: HostStatusRow) => T | null {
  return (row) => (row.scannedMs === undefined ? null : read(row));
}

/** What a host belongs to; each null where that was not recorded. */
export function labelFields<Row>(
  labelsOf: (row: Row) => HostLabels | undefined,
): Readonly<Record<keyof HostLabels, (row: Row) => unknown>> {
  return {
    groups: (row) => labelsOf(row)?.groups,
    owner: (row) => labelsOf(row)?.owner,
    ring: (row) => labelsOf(row)?.ring,
    labels: (row) => labelsOf(row)?.labels,
  };
}

export const statusJson: JsonShape<HostStatusRow> = {
  name: 'report-status',
  list: 'hosts',
  version: 1,
  fields: {
    host: (row) => row.host,
    hostId: (row) => row.hostId,
    state: stateOf,
    unreachableSince: (row) => jsonTime(row.unreachableSinceMs),
    failedSince: (row) => jsonTime(row.failedSinceMs),
    lastFailure: (row) => row.lastFailure ?? null,
    selectedBy: (row) => row.selectedBy,
    scannedAt: (row) => jsonTime(row.scannedMs),
    isOld: ofKnown((row) => row.isOld),
    osName: ofKnown((row) => row.osName),
    kernel: ofKnown((row) => row.kernel),
    security: ofKnown((row) => (row.securityKnown ? row.security : null)),
    securityKnown: ofKnown((row) => row.securityKnown),
    other: ofKnown((row) => row.other),
    heldBack: ofKnown((row) => row.heldBack),
    isStale: ofKnown((row) => row.isStale),
    isIncomplete: ofKnown((row) => row.isIncomplete),
    metadataFetchedAt: ofKnown((row) => jsonTime(row.metadataFetchedMs)),
    rebootNeeded: ofKnown((row) => row.rebootNeeded),
    rebootReasons: ofKnown((row) => row.rebootReasons),
    broken: ofKnown((row) => row.broken),
    problems: ofKnown((row) => row.problems),
    lastVerdict: (row) => row.lastVerdict,
    lastRun: (row) => row.lastRun,
    ...labelFields((row: HostStatusRow) => row.labels),
  },
};

export const updatesJson: JsonShape<PendingUpdateRow> = {
  name: 'report-updates',
  list: 'updates',
  version: 1,
  fields: {
    manager: (row) => row.manager,
    name: (row) => row.name,
    arch: (row) => row.arch,
    to: (row) => row.to,
    title: (row) => row.title ?? null,
    class: (row) => row.class,
    source: (row) => row.source,
    sourceVersion: (row) => row.sourceVersion,
    severity: (row) => row.severity,
    vendorSeverity: (row) => row.vendorSeverity,
    advisories: (row) => row.advisories ?? [],
    cves: (row) => row.cves ?? [],
    origins: (row) => row.origins ?? [],
    sizeBytes: (row) => row.sizeBytes,
    firstSeenAt: (row) => jsonTime(row.firstSeenMs),
    hosts: (row) => row.hosts.map(({ host, from, heldBack }) => ({ host, from, heldBack: heldBack ?? null })),
  },
};

function ofFacts<T>(read: (facts: HostRow) => T): (row: KnownHostRow) => T | null {
  return ({ facts }) => (facts === undefined ? null : read(facts));
}

export const hostsJson: JsonShape<KnownHostRow> = {
  name: 'report-hosts',
  list: 'hosts',
  version: 1,
  fields: {
    host: ({ status }) => status.host,
    hostId: ({ status }) => status.hostId,
    state: ({ status }) => stateOf(status),
    firstSeenAt: ({ status }) => jsonTime(status.firstSeenMs),
    lastSeenAt: ({ status }) => jsonTime(status.scannedMs),
    osName: ofFacts((row) => row.osName),
    kernel: ofFacts((row) => row.kernel),
    arch: ofFacts((row) => row.arch),
    machineId: ofFacts((row) => row.machineId),
    bootId: ofFacts((row) => row.bootId),
    virtualization: ofFacts((row) => row.virtualization),
    packages: ofFacts((row) => row.packages),
    ...labelFields(({ status }: KnownHostRow) => status.labels),
  },
};

export const packagesJson: JsonShape<PackageRow> = {
  name: 'report-packages',
  list: 'packages',
  version: 2,
  fields: {
    manager: (row) => row.manager,
    name: (row) => row.name,
    arch: (row) => row.arch,
    version: (row) => row.version,
    state: (row) => row.state,
    stateDetail: (row) => row.stateDetail ?? null,
    held: (row) => row.isHeld,
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
    ...labelFields((row: HostRunRow) => row.labels),
  },
};

/** Fields of `run show --json`, which rollouts print at their end. */
export const runDetailFields = ['run', 'waves', 'hosts', 'updates', 'findings', 'reboots', 'notes'] as const;

type RunDetailField = (typeof runDetailFields)[number];

/** `run show --json`; for `jsonObject('run-show/1', …)`. */
export function runDetailValue(detail: RunDetail): Record<RunDetailField, unknown> {
  return {
    run: jsonRow(runsJson, detail.run),
    waves: detail.waves.map(({ name, hosts, startedMs, endedMs }) => {
      return { name, hosts, startedAt: jsonTime(startedMs), endedAt: jsonTime(endedMs) };
    }),
    hosts: detail.hosts.map((row) => jsonRow(hostRunJson, row)),
    updates: detail.updates.map((row) => {
      return { ...row, manager: row.manager ?? null, from: row.from ?? null, now: row.now ?? null };
    }),
    findings: detail.findings,
    reboots: detail.reboots.map((row) => jsonRow(rebootsJson, row)),
    notes: detail.notes.map(({ atMs, host, level, message }) => {
      return { at: jsonTime(atMs), host: host ?? null, level, message };
    }),
  };
}

/** Fields of `ledger stats --json`. */
export const ledgerStatsFields = [
  'path',
  'ledgerSchema',
  'sizeBytes',
  'events',
  'runs',
  'hosts',
  'blobs',
  'blobBytes',
  'head',
  'firstAt',
  'lastAt',
] as const;

/** `ledger stats --json`; for `jsonObject('ledger-stats/2', …)`. */
export function ledgerStatsValue({
  firstMs,
  lastMs,
  ...stats
}: LedgerStats): Record<(typeof ledgerStatsFields)[number], unknown> {
  return { ...stats, firstAt: jsonTime(firstMs), lastAt: jsonTime(lastMs) };
}

/** Fields of `ledger verify --json`. */
export const ledgerCheckFields = ['isIntact', 'events', 'blobs', 'head', 'heads', 'problems'] as const;

/** `ledger verify --json`; for `jsonObject('ledger-verify/1', …)`. */
export function ledgerCheckValue(check: LedgerCheck): Record<(typeof ledgerCheckFields)[number], unknown> {
  return { isIntact: check.problems.length === 0, ...check };
}
