import type { Output } from './output.ts';
import { endText, isWellEnded } from './ending.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { emptyRun, reduceRun } from './run-state.ts';

/** Silence while all is well (cron mails whatever is printed); else the summary. */
export function createQuietReporter({ stderr, clock, asTyped }: Output, { accepted }: ReporterOptions): Reporter {
  const state = emptyRun();
  return {
    event: (event) => void reduceRun(state, event, clock.elapsedMs()),
    finish() {
      if (!isWellEnded(state, accepted)) stderr.write(asTyped(endText(state, stderr)));
    },
  };
}
