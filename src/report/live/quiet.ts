import { eventLine } from './event-lines.ts';
import type { Output } from '../text/output.ts';
import { endText, isWellEnded } from './end-of-run.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { emptyRun, reduceRun } from '../run/progress.ts';

/** Prints warnings as they come, and the summary of a run that did not end well: cron mails whatever is printed. */
export function createQuietReporter(output: Output, { accepted }: ReporterOptions): Reporter {
  const { stderr, clock } = output;
  const state = emptyRun();
  return {
    event: (event) => {
      reduceRun(state, event, clock.elapsedMs());
      const line = event.type === 'note' && event.level === 'warn' ? eventLine(event, 0) : undefined;
      if (line !== undefined) stderr.write(`${line}\n`);
    },
    finish() {
      if (!isWellEnded(state, accepted)) stderr.write(output.asTyped(endText(state, stderr)));
    },
  };
}
