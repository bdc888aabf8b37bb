// Holds a traced run against its ledger: was each side effect on the disk of the controller before it began?
import Database from 'better-sqlite3';
import { parseMark } from './mark.ts';
import type { SystemCall } from './trace.ts';

/** Of the ledger, in order. */
export interface RecordedEvent {
  readonly seq: number;
  readonly type: string;
  /** Hex; found again in the pages that are written. */
  readonly hash: string;
  readonly host?: string;
  readonly step?: string;
  readonly job?: string;
}

export interface SideEffect {
  readonly host: string;
  /**
   * `start` and `collect` of a job, the `sweep` that collects all that are left, or the `hook` that is a process of the
   * controller.
   */
  readonly kind: 'start' | 'collect' | 'sweep' | 'hook';
  /** The job, or which hook. */
  readonly what: string;
  /** Before this call nothing of it had happened. */
  readonly before: SystemCall;
  /** The first bytes that went to the host afterwards; the hook's own start. */
  readonly begun?: SystemCall;
}

export interface Proof {
  readonly effect: SideEffect;
  readonly event?: RecordedEvent;
  readonly sync?: SystemCall;
  /** Why it is none. */
  readonly violation?: string;
}

/** Those of the latest run. */
export function readEvents(ledgerPath: string): readonly RecordedEvent[] {
  const file = new Database(ledgerPath, { readonly: true });
  try {
    const latest = 'SELECT run FROM run ORDER BY started_at DESC LIMIT 1';
    const rows = file.prepare(`SELECT seq, type, hash, envelope FROM event WHERE run = (${latest}) ORDER BY seq`).all();
    return (rows as { seq: number; type: string; hash: string; envelope: string }[]).map(
      ({ seq, type, hash, envelope }) => {
        const { body } = JSON.parse(envelope) as { body: Pick<RecordedEvent, 'host' | 'step' | 'job'> };
        return { ...body, seq, type, hash };
      },
    );
  } finally {
    file.close();
  }
}

/** Whatever changes a host or runs for one, in the order of the trace. `addresses` are those of the hosts. */
export function sideEffects(
  calls: readonly SystemCall[],
  addresses: ReadonlyMap<string, string>,
): readonly SideEffect[] {
  const hooks = new Set<string>();
  return calls.flatMap((call, index): SideEffect[] => {
    if (call.name === 'write') {
      const mark = parseMark(/^\d+<\/dev\/null[^>]*>+, "(.*)", \d+$/.exec(call.arguments)?.[1] ?? '');
      if (mark?.verb !== 'start' && mark?.verb !== 'collect' && mark?.verb !== 'sweep') return [];
      const { host, verb: kind, job: what } = mark;
      const begun = calls.slice(index).find((later) => isSentTo(later, addresses.get(host) ?? ''));
      return [{ host, kind, what, before: call, ...(begun === undefined ? {} : { begun }) }];
    }
    if (call.name !== 'execve' || hooks.has(call.pid)) return [];
    const [, host] = /"FETTLE_HOST=([^"]*)"/.exec(call.arguments) ?? [];
    const [, what] = /"FETTLE_HOOK=([^"]*)"/.exec(call.arguments) ?? [];
    if (host === undefined || what === undefined) return [];
    // Where the program is looked for in several directories, the first try counts.
    hooks.add(call.pid);
    return [{ host, kind: 'hook', what, before: call, begun: call }];
  });
}

function isSentTo(call: SystemCall, address: string): boolean {
  return ['write', 'writev', 'sendto', 'sendmsg'].includes(call.name) && call.arguments.includes(`->${address}:22]>`);
}

/**
 * A job's start and a hook are announced by their `step.started`, the removal of a job's files by its `step.finished`.
 * The proof: the page with the event's hash was written to the write-ahead log, a sync of that log began afterwards and
 * had returned before anything of the side effect began.
 */
export function prove(
  calls: readonly SystemCall[],
  effects: readonly SideEffect[],
  events: readonly RecordedEvent[],
): readonly Proof[] {
  const log = calls.filter((call) => /^\d+<[^>]*-wal>/.test(call.arguments));
  const used = new Set<RecordedEvent>();
  return effects
    .flatMap((effect) => collected(effect, effects, events))
    .map((effect): Proof => {
      const event = events.find((candidate) => announces(candidate, effect) && !used.has(candidate));
      if (event === undefined) return { effect, violation: 'no event announces it' };
      // A start that is asked for again is announced once.
      if (effect.kind === 'hook') used.add(event);
      const written = log.find((call) => call.name === 'pwrite64' && call.arguments.includes(event.hash));
      if (written === undefined) return { effect, event, violation: 'its event was not written to the log' };
      const sync = log.find((call) => isSync(call) && call.startedAt > written.endedAt);
      if (sync === undefined) return { effect, event, violation: 'the log was not synced after its event' };
      const isLate = sync.endedAt >= effect.before.startedAt;
      return { effect, event, sync, ...(isLate ? { violation: 'the log was synced too late' } : {}) };
    });
}

/** A sweep as what it does: each job of the host that was not collected by itself is. */
function collected(
  effect: SideEffect,
  effects: readonly SideEffect[],
  events: readonly RecordedEvent[],
): readonly SideEffect[] {
  if (effect.kind !== 'sweep') return [effect];
  const before = new Set(effects.flatMap(({ kind, what }) => (kind === 'collect' ? [what] : [])));
  const jobs = events.flatMap(({ type, host, job }) =>
    type === 'step.started' && host === effect.host && job !== undefined ? [job] : [],
  );
  return [...new Set(jobs)].filter((job) => !before.has(job)).map((what) => ({ ...effect, kind: 'collect', what }));
}

function announces(event: RecordedEvent, { kind, host, what }: SideEffect): boolean {
  if (event.type !== (kind === 'collect' ? 'step.finished' : 'step.started')) return false;
  return kind === 'hook' ? event.job === undefined && event.host === host && event.step === what : event.job === what;
}

function isSync({ name, result }: SystemCall): boolean {
  return (name === 'fsync' || name === 'fdatasync') && result === '0';
}
