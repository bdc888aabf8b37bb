// What a ledger answers about hosts, read from the events one by one: as slow as it is plain.
import { matchesGlob } from 'node:path';
import type { HostLabels } from '../../src/domain/labels.ts';
import { updateStates, verdicts } from '../../src/domain/outcome.ts';
import type {
  HistoryAnswer,
  HistoryQuestion,
  HistoryRow,
  HostRow,
  HostStatusRow,
  PackagesAnswer,
  PendingUpdateRow,
  RebootsAnswer,
  ScannedStatus,
  StatusQuestion,
} from '../../src/domain/report.ts';
import { scanStatus } from '../../src/domain/scan-status.ts';
import { heldBackWord } from '../../src/domain/held-back.ts';
import { type Update } from '../../src/domain/update.ts';
import { attemptsOf, ofRun, ofType, type TimedEvent } from './memory-run-state.ts';
import { compare, contactedHosts, labelsInRun, rebootRows } from './memory-runs.ts';

type Timed = readonly TimedEvent[];

function until(timed: Timed, asOfMs: number): Timed {
  return timed.filter(({ atMs }) => atMs <= asOfMs);
}

function scansOf(timed: Timed, hostId: string) {
  return ofType(timed, 'host.scanned')
    .filter(({ event }) => event.hostId === hostId && event.scan.isStateOnly !== true)
    .toSorted((one, other) => one.atMs - other.atMs);
}

/** The parts that are not undefined. */
function defined<T extends object>(parts: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}

function firstSeen(timed: Timed, hostId: string): number {
  const events = ofType(timed, 'host.started', 'host.finished', 'host.scanned');
  return events.find(({ event }) => event.hostId === hostId)?.atMs ?? 0;
}

export function hostRows(all: Timed, asOfMs: number): readonly HostRow[] {
  const timed = until(all, asOfMs);
  return [...contactedHosts(timed)]
    .flatMap(([hostId, host]): HostRow[] => {
      const scan = scansOf(timed, hostId).at(-1);
      if (scan === undefined) return [];
      const { osName, kernel, arch, machineId, bootId, virtualization } = scan.event.scan.facts;
      const times = { firstSeenMs: firstSeen(timed, hostId), lastSeenMs: scan.atMs };
      const packages = scan.event.scan.packages.length;
      return [
        { host, hostId, ...times, osName, kernel, arch, packages, ...defined({ machineId, bootId, virtualization }) },
      ];
    })
    .toSorted((one, other) => compare(one.host, other.host));
}

export function packagesAt(all: Timed, host: string, asOfMs: number): PackagesAnswer | undefined {
  const timed = until(all, asOfMs);
  const hostId = idOf(timed, host);
  const scan = hostId === undefined ? undefined : scansOf(timed, hostId).at(-1);
  return scan === undefined
    ? undefined
    : {
        scannedMs: scan.atMs,
        packages: scan.event.scan.packages.map(({ manager, name, arch, version, state, isHeld = false }) => {
          return { manager, name, arch, version, state, isHeld };
        }),
      };
}

function idOf(timed: Timed, host: string): string | undefined {
  const known = contactedHosts(timed);
  return known.has(host) ? host : [...known].find(([, name]) => name === host)?.[0];
}

export function reboots(all: Timed, asOfMs: number): RebootsAnswer {
  const timed = until(all, asOfMs);
  const pending = [...contactedHosts(timed)].flatMap(([hostId, host]) => {
    const scans = scansOf(timed, hostId);
    const latest = scans.at(-1);
    if (latest?.event.scan.reboot.needed !== 'yes') return [];
    const noLonger = scans.findLastIndex(({ event }) => event.scan.reboot.needed === 'no');
    const sinceMs = scans[noLonger + 1]?.atMs ?? latest.atMs;
    return [{ host, sinceMs, reasons: latest.event.scan.reboot.reasons }];
  });
  return {
    pending: pending.toSorted((one, other) => compare(one.host, other.host)),
    done: rebootRows(timed).toReversed(),
  };
}

interface Missing {
  readonly update: Update;
  readonly manager: string;
  readonly heldBack?: string;
  readonly firstSeenMs: number;
}

/** What the latest scan shows; each since the first of the scans before it that show it without a break. */
function missingOn(timed: Timed, hostId: string): readonly Missing[] {
  let missing = new Map<string, Missing>();
  for (const { atMs, event } of scansOf(timed, hostId)) {
    const now = event.scan.updates.map((update) => {
      const { manager } = update;
      const heldBack = update.heldBack === undefined ? undefined : heldBackWord(update.heldBack);
      const { name, arch, from, to, class: its } = update;
      const key = [manager, name, arch, from, to, its, heldBack].join('\0');
      const firstSeenMs = missing.get(key)?.firstSeenMs ?? atMs;
      return [key, { update, manager, firstSeenMs, ...defined({ heldBack }) }] as const;
    });
    missing = new Map(now);
  }
  return [...missing.values()];
}

export function pendingUpdates(all: Timed, asOfMs: number): readonly PendingUpdateRow[] {
  const timed = until(all, asOfMs);
  const found = [...contactedHosts(all)]
    .flatMap(([hostId, host]) => missingOn(timed, hostId).map((missing) => ({ host, ...missing })))
    .toSorted(
      (one, other) =>
        compare(one.update.name, other.update.name) ||
        compare(one.update.to, other.update.to) ||
        compare(one.host, other.host),
    );
  const groups = Map.groupBy(found, ({ manager, update }) =>
    [manager, update.name, update.arch, update.to, update.class].join('\0'),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { manager, update } = first;
    const { name, arch, to, title, class: its, source, sourceVersion, severity, vendorSeverity, sizeBytes } = update;
    const [advisories, cves, origins] = [some(update.advisories), some(update.cves), some(update.origins)];
    const mapped = vendorSeverity === undefined ? undefined : severity;
    return [
      {
        ...{ manager, name, arch, to, class: its },
        ...defined({ title, source, sourceVersion, severity: mapped, vendorSeverity: vendorSeverity ?? severity }),
        ...defined({ advisories, cves, origins, sizeBytes }),
        firstSeenMs: Math.min(...group.map(({ firstSeenMs }) => firstSeenMs)),
        hosts: group.map(({ host, heldBack, update: { from } }) => ({ host, from, ...defined({ heldBack }) })),
      },
    ];
  });
}

function some<Item>(list: readonly Item[] | undefined): readonly Item[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

export function historyOf(all: Timed, question: HistoryQuestion): HistoryAnswer | undefined {
  const { host, names, isBadOnly, sinceMs, untilMs, update, limit } = question;
  const hosts = contactedHosts(all);
  const hostId = host === undefined ? undefined : idOf(all, host);
  if (host !== undefined && hostId === undefined) return undefined;
  const rows = [...hosts]
    .filter(([id, name]) => (hostId === undefined || id === hostId) && (names === undefined || names.includes(name)))
    .flatMap(([id, name]) => [...updateEvents(all, id, name), ...badEnds(all, id, name), ...ownEvents(all, id, name)])
    .filter(({ atMs }) => atMs >= sinceMs && atMs <= untilMs)
    .filter((row) => !isBadOnly || row.isBad)
    .filter((row) => update === undefined || matches(row.name, update))
    .toSorted((one, other) => other.atMs - one.atMs);
  return { rows: rows.slice(0, limit), isCut: rows.length > limit };
}

function matches(name: string | undefined, glob: string): boolean {
  return name !== undefined && matchesGlob(name.toLowerCase(), glob.toLowerCase());
}

function updateEvents(timed: Timed, hostId: string, host: string): readonly HistoryRow[] {
  return ofType(timed, 'update.finished')
    .filter(({ event }) => event.hostId === hostId)
    .flatMap(({ atMs, event }) =>
      event.results
        .filter(({ state }) => state !== 'already')
        .map(({ name, from, to, state, message, manager }) => ({
          ...{ host, atMs, kind: 'update' as const, name, to, state, isBad: !updateStates[state].isGood },
          run: event.run,
          ...(from === null || from === '' ? {} : { from }),
          ...defined({ message, manager }),
          ...labelsInRun(ofRun(timed, event.run), hostId),
        }))
        .toReversed(),
    );
}

function badEnds(timed: Timed, hostId: string, host: string): readonly HistoryRow[] {
  const runs = ofType(timed, 'run.started').filter(({ event }) => /^(apply|reboot|shutdown)$/.test(event.kind));
  return runs.flatMap(({ event: { run } }) =>
    attemptsOf(ofRun(timed, run))
      .filter((attempt) => attempt.hostId === hostId)
      .flatMap(({ outcome, endedMs = 0 }) => {
        if (outcome === undefined || verdicts[outcome.verdict].weight !== 'bad') return [];
        const row = { host, atMs: endedMs, kind: 'run' as const, state: outcome.verdict, isBad: true, run };
        return [{ ...row, message: outcome.reason, ...labelsInRun(ofRun(timed, run), hostId) }];
      }),
  );
}

const dayMs = 24 * 3_600_000;

/** The host's own record, each entry once, without what fettle's record of the same update tells. */
function ownEvents(timed: Timed, hostId: string, host: string): readonly HistoryRow[] {
  const results = ofType(timed, 'update.finished').filter(({ event }) => event.hostId === hostId);
  const entries = scansOf(timed, hostId).flatMap(({ event }) => event.scan.history ?? []);
  const once = new Map(
    entries.toReversed().map((entry) => [[entry.atMs, entry.id, entry.revision, entry.operation].join('\0'), entry]),
  );
  return [...once.values()]
    .filter(
      (entry) =>
        !results.some(
          ({ atMs, event }) =>
            Math.abs(atMs - entry.atMs) <= dayMs &&
            event.results.some(
              ({ arch, to, state }) =>
                !['already', 'downloaded'].includes(state) && arch === entry.id && to === String(entry.revision),
            ),
        ),
    )
    .map(({ atMs, name, revision, title, result, operation, client, message }) => ({
      ...{ host, atMs, kind: 'own' as const, name, to: String(revision), title, client },
      state: result === 'succeeded' ? (operation === 'uninstall' ? 'removed' : 'installed') : result,
      isBad: result !== 'succeeded',
      ...defined({ message }),
    }));
}

export function hostStatus(all: Timed, question: StatusQuestion): readonly HostStatusRow[] {
  const timed = until(all, question.asOfMs);
  const hosts = contactedHosts(timed);
  const contacted = [...hosts].map(([hostId, host]): HostStatusRow => {
    const scan = scansOf(timed, hostId).at(-1);
    const known = {
      ...{ host, hostId, firstSeenMs: firstSeen(timed, hostId) },
      ...failureOf(timed, hostId, scan?.atMs ?? -1),
      ...lastVerdict(timed, hostId),
      ...latestLabels(timed, hostId),
    };
    return scan === undefined ? known : { ...known, ...scannedStatus(scan, question) };
  });
  const named = new Set(ofType(timed, 'host.started', 'host.finished', 'host.scanned').map(({ event }) => event.host));
  const selected = new Map<string, HostStatusRow>();
  for (const { atMs, event } of ofType(timed, 'run.started')) {
    const { run, hosts: working, idle = [], absent = [] } = event;
    for (const host of [...working, ...idle, ...absent.map((item) => item.host)]) {
      if (named.has(host) || selected.has(host)) continue;
      selected.set(host, { host, firstSeenMs: atMs, selectedBy: run, ...latestLabels(timed, host) });
    }
  }
  return [...contacted, ...selected.values()].toSorted((one, other) => compare(one.host, other.host));
}

function latestLabels(timed: Timed, host: string): { labels?: HostLabels } {
  const runs = ofType(timed, 'run.started').map(({ event }) => labelsInRun(ofRun(timed, event.run), host));
  return runs.findLast(({ labels }) => labels !== undefined) ?? {};
}

function kindOf(timed: Timed, run: string): string | undefined {
  return ofType(timed, 'run.started').find(({ event }) => event.run === run)?.event.kind;
}

function lastVerdict(timed: Timed, hostId: string): Pick<HostStatusRow, 'lastVerdict' | 'lastRun'> {
  const ends = ofType(timed, 'host.finished').filter(
    ({ event }) => event.hostId === hostId && /^(apply|reboot|verify)$/.test(kindOf(timed, event.run) ?? ''),
  );
  const end = ends.at(-1)?.event;
  return end === undefined ? {} : { lastVerdict: end.outcome.verdict, lastRun: end.run };
}

type Failure = Pick<HostStatusRow, 'unreachableSinceMs' | 'failedSinceMs' | 'lastFailure'>;

function failureOf(timed: Timed, hostId: string, scannedMs: number): Failure {
  let failure: Failure = {};
  for (const { atMs, event } of ofType(timed, 'host.started', 'host.finished')) {
    if (event.hostId !== hostId || atMs <= scannedMs) continue;
    const kind = kindOf(timed, event.run);
    if (event.type === 'host.started') {
      if (kind === 'exec') failure = {};
      continue;
    }
    const { verdict, reason } = event.outcome;
    const { contact } = verdicts[verdict];
    if (contact === 'unasked') continue;
    const hasScan = scansOf(timed, hostId).some((scan) => scan.event.run === event.run);
    const isUnscanned = verdict === 'failed' && /^(scan|plan|verify)$/.test(kind ?? '') && !hasScan;
    if (contact === 'unreached') {
      failure = { unreachableSinceMs: failure.unreachableSinceMs ?? atMs, lastFailure: reason };
    } else if (isUnscanned) failure = { failedSinceMs: failure.failedSinceMs ?? atMs, lastFailure: reason };
    else failure = {};
  }
  return failure;
}

function scannedStatus(
  { atMs, event: { scan } }: ReturnType<typeof scansOf>[number],
  { asOfMs, maxScanAgeMs }: StatusQuestion,
): ScannedStatus {
  return { ...scanStatus(scan), scannedMs: atMs, isOld: asOfMs - atMs > maxScanAgeMs };
}
