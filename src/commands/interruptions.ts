import type { Clock } from '../base/clock.ts';
import { FettleError } from '../domain/error.ts';
import type { ExitName } from '../domain/exit.ts';

/** How the process was asked to end, in two steps: admit nothing more, then let go. */
export interface Interruptions {
  /** Aborted by the first Ctrl-C: no new host is admitted, hosts in flight go on. */
  readonly stop: AbortSignal;
  /** Aborted by a second Ctrl-C within five seconds, SIGTERM or SIGHUP: let go now; jobs on hosts go on. */
  readonly detach: AbortSignal;
  /** How to exit when one of them happened. */
  exitName(): ExitName | undefined;
}

export type InterruptSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const againWithinMs = 5_000;

export interface InterruptionOptions {
  readonly clock: Clock;
  /** Subscribes to process signals. */
  readonly on: (signal: InterruptSignal, handler: () => void) => void;
  /** Said at once on stderr. */
  readonly say: (message: string) => void;
  /** The third Ctrl-C. */
  readonly exitNow: (code: number) => void;
}

/** Ctrl-C once: stop admission. Twice: detach. Three times: exit. SIGTERM and SIGHUP detach at once. */
export function watchInterruptions({ clock, on, say, exitNow }: InterruptionOptions): Interruptions {
  const stop = new AbortController();
  const detach = new AbortController();
  let name: ExitName | undefined;
  let firstAtMs: number | undefined;
  const letGo = (reason: string): void => {
    const error = new FettleError('cancelled', reason, { hint: 'go on with: fettle run resume' });
    stop.abort(error);
    detach.abort(error);
  };
  on('SIGINT', () => {
    name ??= 'interrupted';
    if (detach.signal.aborted) {
      exitNow(130);
    } else if (firstAtMs === undefined || clock.elapsedMs() - firstAtMs > againWithinMs) {
      firstAtMs = clock.elapsedMs();
      say('stopping: no new host is started, hosts in flight go on; Ctrl-C again within 5 s lets go of them');
      stop.abort(new FettleError('cancelled', 'interrupted'));
    } else {
      say('letting go: work on the hosts goes on there; Ctrl-C again exits at once');
      letGo('interrupted');
    }
  });
  on('SIGTERM', () => {
    name ??= 'terminated';
    say('terminated: letting go, work on the hosts goes on there');
    letGo('terminated');
  });
  on('SIGHUP', () => {
    name ??= 'interrupted';
    letGo('the terminal is gone');
  });
  return { stop: stop.signal, detach: detach.signal, exitName: () => name };
}
