import type { Clock } from '../../base/clock.ts';
import { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';

/**
 * The work that a signal interrupts. `change`: hosts are brought to a recorded state first. `query`: queries are
 * cancelled. `watch`: the same, and it is the ordinary end.
 */
export type ChargeKind = 'change' | 'query' | 'watch';

/** How the process was asked to end. Outside of a charge every signal ends it at once, as if it were not caught. */
export interface Interruptions {
  /** Aborted by the first Ctrl-C: no new host is started, hosts in flight are finished. */
  readonly stop: AbortSignal;
  /** Aborted by a second Ctrl-C within five seconds, SIGTERM or SIGHUP: detach now; jobs on hosts keep running. */
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
  readonly warn: (message: string) => void;
  /** Ends the process by the signal itself, whatever it waits for. */
  readonly endBy: (signal: InterruptSignal) => void;
  /** Calls later, unless the process has ended by then; keeps no process alive. */
  readonly later: (ms: number, call: () => void) => void;
}

const messages: Readonly<Record<ChargeKind, Readonly<Partial<Record<'stop' | 'detach' | 'terminated', string>>>>> = {
  change: {
    stop: 'stopping: no new host is started, hosts in flight are finished; Ctrl-C again within 5 s detaches from them',
    detach: 'detaching: jobs on the hosts keep running; Ctrl-C again exits at once',
    terminated: 'terminated: detaching, jobs on the hosts keep running',
  },
  query: {
    stop: 'interrupted: hosts that have not answered are skipped; Ctrl-C again exits at once',
    terminated: 'terminated: hosts that have not answered are skipped',
  },
  watch: {},
};

/** Ctrl-C once: stop admission. Twice: detach. Three times: exit. SIGTERM and SIGHUP detach at once, and exit if repeated. */
export function watchInterruptions(options: InterruptionOptions): Interruptions {
  const handler = new SignalHandler(options);
  options.on('SIGINT', () => handler.interrupt());
  options.on('SIGTERM', () => handler.end('SIGTERM', 'terminated', 'terminated'));
  options.on('SIGHUP', () => handler.end('SIGHUP', 'interrupted', 'the terminal is gone'));
  return handler;
}

class SignalHandler implements Interruptions {
  readonly #options: InterruptionOptions;
  readonly #stop = new AbortController();
  readonly #detach = new AbortController();
  #charge: ChargeKind | undefined;
  #name: ExitName | undefined;
  #firstAtMs: number | undefined;

  constructor(options: InterruptionOptions) {
    this.#options = options;
  }

  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  get detach(): AbortSignal {
    return this.#detach.signal;
  }

  exitName(): ExitName | undefined {
    return this.#name;
  }

  takeCharge(kind: ChargeKind): Disposable {
    const before = this.#charge;
    this.#charge = kind;
    return {
      [Symbol.dispose]: () => {
        this.#charge = before;
      },
    };
  }

  /** SIGINT. */
  interrupt(): void {
    const { clock, endBy } = this.#options;
    if (this.#charge === undefined || this.detach.aborted) return endBy('SIGINT');
    this.#name ??= 'interrupted';
    const isFirst = this.#firstAtMs === undefined || clock.elapsedMs() - this.#firstAtMs > againWithinMs;
    if (this.#charge === 'change' && isFirst) {
      this.#firstAtMs = clock.elapsedMs();
      this.#announce('stop');
      return this.#stop.abort(new FettleError('cancelled', 'interrupted'));
    }
    this.#announce(this.#charge === 'change' ? 'detach' : 'stop');
    this.#detachNow(this.#charge, 'SIGINT', 'interrupted');
  }

  /** SIGTERM or SIGHUP. */
  end(signal: InterruptSignal, exit: ExitName, reason: string): void {
    if (this.#charge === undefined || this.detach.aborted) return this.#options.endBy(signal);
    this.#name ??= exit;
    // At SIGHUP nobody reads any more.
    if (signal === 'SIGTERM') this.#announce('terminated');
    this.#detachNow(this.#charge, signal, reason);
  }

  #announce(what: 'stop' | 'detach' | 'terminated'): void {
    const text = this.#charge === undefined ? undefined : messages[this.#charge][what];
    if (text !== undefined) this.#options.warn(text);
  }

  #detachNow(kind: ChargeKind, signal: InterruptSignal, reason: string): void {
    const { later, endBy } = this.#options;
    const error = new FettleError('cancelled', reason, { hint: 'resume with: fettle run resume' });
    this.#stop.abort(error);
    this.#detach.abort(error);
    // Something may wait for an answer that never comes: a name server, a file system.
    later(endWithinMs[kind], () => endBy(signal));
  }
}
