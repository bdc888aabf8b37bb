import type { Output } from './output.ts';
import { endText, isWellEnded } from './ending.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { emptyRun, reduceRun } from './run-state.ts';

/** Silence while all is well (cron mails whatever is printed); else the summary. */
export function createQuietReporter(output: Output, { accepted }: ReporterOptions): Reporter {
  const { stderr, clock } = output;
  const state = emptyRun();
  return {
    event: (event) => void reduceRun(state, event, clock.elapsedMs()),
    finish() {
      if (!isWellEnded(state, accepted)) stderr.write(output.asTyped(endText(state, stderr)));
    },
  };
}
