import { jsonTime, safeJson } from '../text/json.ts';
import type { Output } from '../text/output.ts';
import type { Reporter } from './reporter.ts';

/** Version of the envelope; event types carry their own meaning by name. */
export const jsonlVersion = 1;

/**
 * Every recorded event as one line on stdout, `{"v":1,"seq":…,"time":…,"run":…,"type":…}`: `seq` counts the lines of
 * this process from 1, `time` is RFC 3339 in UTC. What is only live is left out.
 */
export function createJsonlReporter({ stdout, clock }: Output): Reporter {
  let seq = 0;
  let run: string | undefined;
  return {
    event(event) {
      if (event.type.startsWith('live.')) return;
      if ('run' in event && event.run !== undefined) run = event.run;
      seq += 1;
      stdout.write(`${safeJson({ v: jsonlVersion, seq, time: jsonTime(clock.now()), run, ...event })}\n`);
    },
    drained: () => stdout.drained(),
    finish: () => undefined,
  };
}
