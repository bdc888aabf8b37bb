import type { Clock } from '../../base/clock.ts';
import { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';

/**
 * What a signal finds at work. `change`: hosts are brought to a recorded state first. `query`: questions are given up.
 * `watch`: the same, and it is the ordinary end.
 */
export type ChargeKind = 'change' | 'query' | 'watch';

/** How the process was asked to end. Outside of a charge every signal ends it at once, as if it were not caught. */
export interface Interruptions {
  /** Aborted by the first Ctrl-C: no new host is admitted, hosts in flight go on. */
  readonly stop: AbortSignal;
  /** Aborted by a second Ctrl-C within five seconds, SIGTERM or SIGHUP: detach now; jobs on hosts go on. */
  readonly detach: AbortSignal;
  /** From now until it is disposed of, work obeys `stop` and `detach`, and signals leave the end to it. */
  takeCharge(kind: ChargeKind): Disposable;
  /** How to exit when one of them happened. */
  exitName(): ExitName | undefined;
}

export type InterruptSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const againWithinMs = 5_000;
/** Whoever sends SIGTERM kills after a while: docker stop after 10 s, systemd after 90 s. What changes hosts may need time. */
const endWithinMs: Readonly<Record<ChargeKind, number>> = { change: 80_000, query: 9_000, watch: 9_000 };

export interface InterruptionOptions {
  readonly clock: Clock;
  /** Subscribes to process signals. */
  readonly on: (signal: InterruptSignal, handler: () => void) => void;
  /** Written to stderr at once. */
  readonly say: (message: string) => void;
  /** Ends the process by the signal itself, whatever it waits for. */
  readonly endBy: (signal: InterruptSignal) => void;
  /** Calls later, unless the process has ended by then; keeps no process alive. */
  readonly later: (ms: number, call: () => void) => void;
}

const words: Readonly<Record<ChargeKind, Readonly<Partial<Record<'stop' | 'detach' | 'terminated', string>>>>> = {
  change: {
    stop: 'stopping: no new host is started, hosts in flight go on; Ctrl-C again within 5 s detaches from them',
    detach: 'detaching: work on the hosts goes on there; Ctrl-C again exits at once',
    terminated: 'terminated: detaching, work on the hosts goes on there',
  },
  query: {
    stop: 'interrupted: hosts that have not answered are given up; Ctrl-C again exits at once',
    terminated: 'terminated: hosts that have not answered are given up',
  },
  watch: {},
};

/** Ctrl-C once: stop admission. Twice: detach. Three times: exit. SIGTERM and SIGHUP detach at once, and exit if repeated. */
export function watchInterruptions(options: InterruptionOptions): Interruptions {
  const { clock, on, say, endBy, later } = options;
  const stop = new AbortController();
  const detach = new AbortController();
  let charge: ChargeKind | undefined;
  let name: ExitName | undefined;
  let firstAtMs: number | undefined;
  const announce = (what: 'stop' | 'detach' | 'terminated'): void => {
    const text = charge === undefined ? undefined : words[charge][what];
    if (text !== undefined) say(text);
  };
  const detachNow = (kind: ChargeKind, signal: InterruptSignal, reason: string): void => {
    const error = new FettleError('cancelled', reason, { hint: 'resume with: fettle run resume' });
    stop.abort(error);
    detach.abort(error);
    // Something may wait for an answer that never comes: a name server, a file system.
    later(endWithinMs[kind], () => endBy(signal));
  };
  const onInterrupt = (): void => {
    const isAgain = firstAtMs !== undefined && clock.elapsedMs() - firstAtMs <= againWithinMs;
    if (charge === undefined || detach.signal.aborted) return endBy('SIGINT');
    name ??= 'interrupted';
    if (charge !== 'change') {
      announce('stop');
      return detachNow(charge, 'SIGINT', 'interrupted');
    }
    if (!isAgain) {
      firstAtMs = clock.elapsedMs();
      announce('stop');
      return stop.abort(new FettleError('cancelled', 'interrupted'));
    }
    announce('detach');
    detachNow(charge, 'SIGINT', 'interrupted');
  };
  const onEnd = (signal: InterruptSignal, exit: ExitName, reason: string): void => {
    if (charge === undefined || detach.signal.aborted) return endBy(signal);
    name ??= exit;
    // At SIGHUP nobody reads any more.
    if (signal === 'SIGTERM') announce('terminated');
    detachNow(charge, signal, reason);
  };
  on('SIGINT', onInterrupt);
  on('SIGTERM', () => onEnd('SIGTERM', 'terminated', 'terminated'));
  on('SIGHUP', () => onEnd('SIGHUP', 'interrupted', 'the terminal is gone'));
  const takeCharge = (kind: ChargeKind): Disposable => {
    const before = charge;
    charge = kind;
    return {
      [Symbol.dispose]: () => {
        charge = before;
      },
    };
  };
  return { stop: stop.signal, detach: detach.signal, takeCharge, exitName: () => name };
}
