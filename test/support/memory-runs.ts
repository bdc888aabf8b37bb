// What a ledger answers about runs, read from the events one by one: as slow as it is plain.
import type { HostRunRow, LogRow, RebootRow, RunDetail, RunRow, UpdateResultRow } from '../../src/domain/report.ts';
import type { HostLabels } from '../../src/domain/labels.ts';
import { noSuchRun, noWorkingRun } from '../../src/ledger/queries/no-such-run.ts';
import { attemptsOf, ofRun, ofType, stepsOf, type Of, type TimedEvent } from './memory-run-state.ts';

export function runRows(timed: readonly TimedEvent[]): readonly RunRow[] {
  const openings = ofType(timed, 'run.started').filter(
    ({ event }, index, all) => all.findIndex((other) => other.event.run === event.run) === index,
  );
  return openings
    .map(({ atMs, event }) => runRow(ofRun(timed, event.run), atMs, event))
    .toSorted((one, other) => other.startedMs - one.startedMs || (one.run < other.run ? 1 : -1));
}

function runRow(ofIts: readonly TimedEvent[], startedMs: number, opening: Of<'run.started'>): RunRow {
  const { run, kind, operator, hosts, idle, absent, playbook, planSha256, ticket, reason } = opening;
  const latest = ofType(ofIts, 'run.finished', 'run.resumed').at(-1);
  const end = ofType(ofIts, 'run.finished').at(-1)?.event;
  const { exitCode, exitName } = end ?? {};
  const ended = latest?.event.type === 'run.finished' ? { endedMs: latest.atMs, exitCode, exitName } : {};
  const all = {
    ...{ run, kind, startedMs, operator, hosts, reasons: end?.reasons ?? [], counts: end?.counts ?? {} },
    ...ended,
    ...{ idle, absent, playbook, planSha256, ticket, reason },
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as unknown as RunRow;
}

export function findRun(timed: readonly TimedEvent[], id: string | undefined, toVerify: boolean): RunRow {
  const rows = runRows(timed);
  const [found, another] = id === undefined ? rows.filter((row) => isWorking(row, toVerify)) : beginning(rows, id);
  if (found !== undefined && (id === undefined || another === undefined || found.run === id)) return found;
  throw id === undefined ? noWorkingRun(rows, toVerify) : noSuchRun(id, found !== undefined);
}

function beginning(rows: readonly RunRow[], id: string): readonly RunRow[] {
  return rows.filter(({ run }) => run.startsWith(id.toUpperCase()));
}

function isWorking({ kind, hosts, planSha256 }: RunRow, toVerify: boolean): boolean {
  if (hosts.length === 0) return false;
  return kind === 'apply' || kind === 'reboot' || (!toVerify && kind === 'shutdown' && planSha256 !== undefined);
}

export function runDetail(timed: readonly TimedEvent[], id: string): RunDetail | undefined {
  const run = runRows(timed).find((row) => row.run === id);
  if (run === undefined) return undefined;
  const ofIts = ofRun(timed, id);
  const named = new Map(attemptsOf(ofIts).map(({ hostId, host }) => [hostId, host]));
  const nameOf = (hostId: string): string => named.get(hostId) ?? hostId;
  const verified = new Map(ofType(ofIts, 'host.verified').map(({ event }) => [event.hostId, event]));
  return {
    run,
    waves: wavesOf(ofIts),
    hosts: [...hostRows(ofIts), ...scannedAlone(timed, ofIts)],
    updates: updateRows(ofIts, nameOf),
    findings: [...verified.values()].flatMap(({ hostId, findings }) =>
      findings.map(({ check, level, message }) => ({ host: nameOf(hostId), check, level, message })),
    ),
    reboots: rebootRows(ofIts),
    notes: ofIts.flatMap(({ atMs, event }) => noteOf(atMs, event)),
  };
}

function wavesOf(ofIts: readonly TimedEvent[]): RunDetail['waves'] {
  const waves = new Map<number, RunDetail['waves'][number]>();
  for (const { atMs, event } of ofType(ofIts, 'wave.started', 'wave.finished')) {
    const known = waves.get(event.wave);
    if (event.type === 'wave.finished') {
      if (known !== undefined) waves.set(event.wave, { ...known, endedMs: atMs });
      continue;
    }
    const { name, hosts, startedMs } = known ?? { name: event.name, hosts: event.hosts, startedMs: atMs };
    waves.set(event.wave, { name, hosts, startedMs });
  }
  return [...waves].toSorted(([one], [other]) => one - other).map(([, wave]) => wave);
}

/** Of the run as it began. */
export function labelsInRun(ofIts: readonly TimedEvent[], host: string): { labels?: HostLabels } {
  const sets = ofType(ofIts, 'run.started')[0]?.event.labels ?? [];
  const found = sets.find(({ hosts, ids = {} }) => hosts.some((name) => name === host || ids[name] === host));
  if (found === undefined) return {};
  const { hosts: _hosts, ids: _ids, ...labels } = found;
  return { labels };
}

function hostRows(ofIts: readonly TimedEvent[]): readonly HostRunRow[] {
  const latest = new Map(attemptsOf(ofIts).map((attempt) => [attempt.hostId, attempt]));
  const rows = [...latest.values()].map(({ outcome, ...attempt }): HostRunRow => {
    const step = stepsOf(ofIts).findLast(({ start }) => start.hostId === attempt.hostId)?.start.step;
    const { verdict, change, reason, hint, error } = outcome ?? {};
    const told = Object.entries({ verdict, change, reason, hint, error, step });
    return {
      ...attempt,
      ...Object.fromEntries(told.filter(([, value]) => value !== undefined)),
      ...labelsInRun(ofIts, attempt.hostId),
    };
  });
  return rows.toSorted((one, other) => (one.host < other.host ? -1 : 1));
}

/** The latest name of each host that was contacted. */
export function contactedHosts(timed: readonly TimedEvent[]): ReadonlyMap<string, string> {
  const events = ofType(timed, 'host.started', 'host.finished', 'host.scanned');
  return new Map(events.map(({ event }) => [event.hostId, event.host]));
}

function scannedAlone(timed: readonly TimedEvent[], ofIts: readonly TimedEvent[]): readonly HostRunRow[] {
  const names = contactedHosts(timed);
  const attempted = new Set(attemptsOf(ofIts).map(({ hostId }) => hostId));
  const scans = ofType(ofIts, 'host.scanned').filter(
    ({ event }) => event.purpose === 'scan' && !attempted.has(event.hostId),
  );
  const latest = new Map(scans.map(({ atMs, event }) => [event.hostId, atMs]));
  return [...latest]
    .map(([hostId, atMs]) => {
      const times = { attempt: 1, startedMs: atMs, endedMs: atMs };
      return { host: names.get(hostId) ?? '', hostId, ...times, ...labelsInRun(ofIts, hostId) };
    })
    .toSorted((one, other) => (one.host < other.host ? -1 : 1));
}

function updateRows(ofIts: readonly TimedEvent[], nameOf: (id: string) => string): readonly UpdateResultRow[] {
  const results = ofType(ofIts, 'update.finished').flatMap(({ event }) =>
    event.results.map((result) => {
      const { manager } = result;
      const { name, arch, from, to, now, state } = result;
      const row: UpdateResultRow = {
        host: nameOf(event.hostId),
        ...(manager === undefined ? {} : { manager }),
        ...{ name, arch, to, state },
        ...(from === null ? {} : { from }),
        ...(now === null ? {} : { now }),
      };
      return { hostId: event.hostId, attempt: event.attempt, row };
    }),
  );
  const sorted = results.toSorted(
    (one, other) =>
      compare(one.hostId, other.hostId) || compare(one.row.name, other.row.name) || one.attempt - other.attempt,
  );
  const keyOf = ({ hostId, row }: (typeof results)[number]): string =>
    [hostId, row.manager, row.name, row.arch, row.to].join('\0');
  return [...new Map(sorted.map((item) => [keyOf(item), item.row])).values()];
}

export function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

export function rebootRows(timed: readonly TimedEvent[]): readonly RebootRow[] {
  return ofType(timed, 'host.rebooted').map(({ atMs, event }) => {
    const { run, host, bootIdBefore, bootIdAfter, reasons, downMs } = event;
    return { host, run, atMs, bootIdBefore, bootIdAfter, reasons, downMs };
  });
}

function noteOf(atMs: number, event: TimedEvent['event']): RunDetail['notes'][number][] {
  switch (event.type) {
    case 'note': {
      const { level, message, host } = event;
      return [{ atMs, level, message, ...(host === undefined ? {} : { host }) }];
    }
    case 'run.stopping':
    case 'run.detached':
      return [{ atMs, level: 'warn', message: event.message }];
    case 'host.abandoned':
      return [{ atMs, level: 'warn', message: `abandoned: ${event.reason}`, host: event.host }];
    default:
      return [];
  }
}

export function logRows(
  timed: readonly TimedEvent[],
  { run, host }: { readonly run: string; readonly host: string },
  blob: (sha256: string) => Uint8Array | undefined,
): readonly LogRow[] {
  const ofIts = ofRun(timed, run);
  const owner = attemptsOf(ofIts).find((attempt) => attempt.host === host || attempt.hostId === host);
  if (owner === undefined) return [];
  return stepsOf(ofIts)
    .filter(({ start }) => start.hostId === owner.hostId)
    .map(({ startedMs, start: { step, attempt, name }, end }) => {
      const { ok, message, outputSha256 } = end?.event ?? {};
      const output = outputSha256 === undefined ? undefined : blob(outputSha256);
      const told = Object.entries({ name, endedMs: end?.atMs, ok, message, output });
      return { step, attempt, startedMs, ...Object.fromEntries(told.filter(([, value]) => value !== undefined)) };
    });
}
