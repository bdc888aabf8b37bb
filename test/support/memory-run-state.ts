// Where a run stands, read from its events alone.
import { everyManager } from '../../src/domain/record.ts';
import type { RunEvent } from '../../src/domain/event.ts';
import { hasPaidHooks } from '../../src/domain/outcome.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { HostRunState, OpenStep, RunState } from '../../src/domain/record.ts';

export interface TimedEvent {
  readonly atMs: number;
  readonly event: RunEvent;
}

export type Of<Type extends RunEvent['type']> = Extract<RunEvent, { readonly type: Type }>;

export function ofType<Type extends RunEvent['type']>(
  timed: readonly TimedEvent[],
  ...types: readonly Type[]
): { readonly atMs: number; readonly event: Of<Type> }[] {
  return timed.flatMap(({ atMs, event }) =>
    (types as readonly string[]).includes(event.type) ? [{ atMs, event: event as Of<Type> }] : [],
  );
}

export function ofRun(timed: readonly TimedEvent[], run: string): readonly TimedEvent[] {
  return timed.filter(({ event }) => 'run' in event && event.run === run);
}

export interface Attempt {
  readonly host: string;
  readonly hostId: string;
  readonly attempt: number;
  readonly wave?: number;
  readonly startedMs: number;
  readonly endedMs?: number;
  readonly outcome?: Outcome;
}

/** Every attempt at every host of one run, by host id and number. One that is started again is open again. */
export function attemptsOf(ofIts: readonly TimedEvent[]): readonly Attempt[] {
  const attempts = new Map<string, Attempt>();
  for (const { atMs, event } of ofType(ofIts, 'host.started', 'host.finished')) {
    const { host, hostId, attempt } = event;
    const key = `${hostId}\0${attempt}`;
    const known = attempts.get(key);
    if (event.type === 'host.finished') {
      attempts.set(key, { host, hostId, attempt, startedMs: atMs, ...known, endedMs: atMs, outcome: event.outcome });
    } else {
      const wave = event.wave === undefined ? {} : { wave: event.wave };
      const {
        endedMs: _ended,
        outcome: _outcome,
        ...open
      } = known ?? { host, hostId, attempt, startedMs: atMs, ...wave };
      attempts.set(key, open);
    }
  }
  return [...attempts.values()].toSorted((one, other) =>
    one.hostId === other.hostId ? one.attempt - other.attempt : one.hostId < other.hostId ? -1 : 1,
  );
}

export interface Step {
  readonly startedMs: number;
  readonly start: Of<'step.started'>;
  end?: { readonly atMs: number; readonly event: Of<'step.finished'> };
}

/** Steps of one run in the order they began, each with its end. */
export function stepsOf(ofIts: readonly TimedEvent[]): readonly Step[] {
  const steps: Step[] = [];
  for (const { atMs, event } of ofType(ofIts, 'step.started', 'step.finished')) {
    if (event.type === 'step.started') {
      steps.push({ startedMs: atMs, start: event });
      continue;
    }
    const open = steps.findLast(({ start, end }) => end === undefined && isSameStep(start, event));
    if (open !== undefined) open.end = { atMs, event };
  }
  return steps;
}

function isSameStep(start: Of<'step.started'>, end: Of<'step.finished'>): boolean {
  const { hostId, attempt, step, job, name } = end;
  return (
    start.hostId === hostId &&
    start.attempt === attempt &&
    start.step === step &&
    start.job === job &&
    start.name === name
  );
}

export function runState(timed: readonly TimedEvent[], run: string): RunState | undefined {
  const ofIts = ofRun(timed, run);
  const [opening] = ofType(ofIts, 'run.started');
  if (opening === undefined) return undefined;
  const { kind, planSha256 } = opening.event;
  const end = ofType(ofIts, 'run.finished', 'run.resumed').at(-1)?.event;
  const waves = new Map<number, boolean>();
  for (const { event } of ofType(ofIts, 'wave.started', 'wave.finished')) {
    waves.set(event.wave, event.type === 'wave.started');
  }
  const [openWave] = [...waves].flatMap(([wave, isOpen]) => (isOpen ? [wave] : [])).toSorted((a, b) => a - b);
  const byHost = Map.groupBy(attemptsOf(ofIts), ({ hostId }) => hostId);
  return {
    run,
    kind,
    startedMs: opening.atMs,
    ...(planSha256 === undefined ? {} : { planSha256 }),
    ...(end?.type === 'run.finished' ? { finished: { exitCode: end.exitCode, exitName: end.exitName } } : {}),
    ...(openWave === undefined ? {} : { openWave }),
    hosts: [...byHost.values()].flatMap((attempts) => hostState(ofIts, attempts)),
  };
}

function hostState(ofIts: readonly TimedEvent[], attempts: readonly Attempt[]): HostRunState[] {
  const latest = attempts.at(-1);
  if (latest === undefined) return [];
  const { host, hostId, attempt, outcome } = latest;
  const steps = stepsOf(ofIts).filter(({ start }) => start.hostId === hostId);
  const done = steps.filter(({ start, end }) => start.attempt === attempt && end?.event.ok === true);
  const reboots = ofType(ofIts, 'host.rebooted').filter(({ event }) => event.hostId === hostId).length;
  return [
    {
      host,
      hostId,
      attempt,
      ...(outcome === undefined ? {} : { outcome }),
      doneSteps: [...new Set(done.map(({ start }) => start.step))],
      endedInstalls: steps.flatMap(({ start, end }) =>
        start.step === 'install' && start.attempt === attempt && end !== undefined ? [start.name ?? everyManager] : [],
      ),
      openSteps: steps.filter(({ end }) => end === undefined).map(({ start }) => openStep(start)),
      reboots,
      owesAfterHooks: owesAfterHooks(attempts, steps),
    },
  ];
}

function openStep({ step, name, attempt, job, jobKind, bootIdBefore }: Of<'step.started'>): OpenStep {
  return {
    step,
    attempt,
    ...(name === undefined ? {} : { name }),
    ...(job === undefined ? {} : { job }),
    ...(jobKind === undefined ? {} : { jobKind }),
    ...(bootIdBefore === undefined ? {} : { bootIdBefore }),
  };
}

function owesAfterHooks(attempts: readonly Attempt[], steps: readonly Step[]): boolean {
  let isOwed = false;
  for (const { attempt, outcome } of attempts) {
    isOwed ||= steps.some(({ start }) => start.attempt === attempt && start.step === 'before_host');
    if (outcome !== undefined && hasPaidHooks(outcome)) isOwed = false;
  }
  return isOwed;
}
