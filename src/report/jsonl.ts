import { safeJson } from './json.ts';
import type { Output } from './output.ts';
import type { Reporter } from './reporter.ts';

/** Version of the envelope; event types carry their own meaning by name. */
export const jsonlVersion = 1;

/** Every recorded event as one line on stdout, `{"v":1,"type":…}`; what is only live is left out. */
export function createJsonlReporter({ stdout }: Output): Reporter {
  return {
    event(event) {
      if (event.type.startsWith('live.')) return;
      stdout.write(`${safeJson({ v: jsonlVersion, ...event })}\n`);
    },
    finish: () => undefined,
  };
}
