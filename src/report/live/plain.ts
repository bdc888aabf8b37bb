// Lines on stderr, for logs, CI and terminals that cannot redraw.
import { formatDuration } from '../../base/format.ts';
import { countedHostNames } from '../../base/host-names.ts';
import { cleanLine } from '../../base/text.ts';
import type { LiveEvent, RunEvent } from '../../domain/event.ts';
import { eventLine } from './event-lines.ts';
import { LineBuffer } from '../text/line-buffer.ts';
import type { Output } from '../text/output.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { emptyRun, reduceRun, type RunProgress } from '../run/progress.ts';
import { endText } from './end-of-run.ts';

/** CI systems kill a job that prints nothing for long. */
const heartbeatMs = 60_000;
const lookMs = 5_000;

export function createPlainReporter(output: Output, { verbose }: ReporterOptions): Reporter {
  const { stderr, clock } = output;
  const state = emptyRun();
  const buffers = new LineBuffer((host, line) => say(`[${cleanLine(host)}] | ${cleanLine(line)}`));
  let lastMs = clock.elapsedMs();
  const say = (line: string): void => {
    lastMs = clock.elapsedMs();
    stderr.write(`${line}\n`);
  };
  const beat = output.every(lookMs, () => {
    const nowMs = clock.elapsedMs();
    if (state.startedMs !== undefined && nowMs - lastMs >= heartbeatMs) say(heartbeat(state, nowMs));
  });
  return {
    event(event: RunEvent | LiveEvent) {
      reduceRun(state, event, clock.elapsedMs());
      if (event.type === 'live.output') {
        if (verbose >= 2) buffers.add(event.host, event.text);
        return;
      }
      if (event.type === 'step.finished' || event.type === 'host.finished') buffers.flush(event.host);
      const line = eventLine(event, verbose);
      if (line !== undefined) say(line);
    },
    finish() {
      beat[Symbol.dispose]();
      buffers.flushAll();
      stderr.write(output.asTyped(endText(state, stderr)));
    },
  };
}

function heartbeat(state: RunProgress, nowMs: number): string {
  const hosts = [...state.hosts.values()];
  const done = hosts.filter((host) => host.phase === 'done').length;
  const running = Map.groupBy(
    hosts.filter((host) => host.phase === 'running'),
    (host) => host.step ?? 'connect',
  );
  const parts = [...running].map(([step, group]) => `${step}: ${countedHostNames(group.map((item) => item.host))}`);
  const elapsed = formatDuration(nowMs - (state.startedMs ?? nowMs));
  return cleanLine([`still running after ${elapsed}: ${done} of ${hosts.length} hosts done`, ...parts].join('; '));
}
